"""The responders' commands under the prepared responder role, with authorization on.

The role is the one that the Pulumi program makes; each call is judged by its policies, with
conditions. What is refused fails the test by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from contract import RESPONDER_ROLE, Manifest
from lab.authorization import Authorization
from lab.engine.engine import Engine
from lab.mended import AUTHORIZATION
from tests.conftest import AwsLab
from tests.preparation import PROGRAM, user
from tests.responders.conftest import Cordon

REGION = "eu-west-1"


@dataclass(frozen=True)
class Prepared:
    """An account prepared by the program, with one instance and one user in it."""

    lab: AwsLab
    instance: str
    key: str
    options: tuple[str, ...]
    workload_role: str

    def client(self, service: str) -> Any:
        return self.lab.client(service, REGION)


@pytest.fixture
def prepared(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    sts, ec2, iam = (aws_lab.client(s, REGION) for s in ("sts", "ec2", "iam"))
    account = sts.get_caller_identity()["Account"]
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="app", Description="app", VpcId=vpc)["GroupId"]
    instance = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[
            {"DeviceIndex": n, "SubnetId": subnet, "Groups": [group]} for n in (0, 1)
        ],
    )["Instances"][0]["InstanceId"]
    _profile(iam, ec2, instance)
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    Engine(aws_lab.client, REGION).up(
        PROGRAM,
        {
            "stacks": ["account", "forensics"],
            "regions": [REGION],
            "vaultRegion": REGION,
            "responders": [user("alice", account)],
        },
    )
    role = iam.get_role(RoleName=RESPONDER_ROLE)["Role"]["Arn"]
    monkeypatch.setenv("AWS_REGION", REGION)
    workload = iam.get_role(RoleName="app")["Role"]["Arn"]
    return Prepared(aws_lab, instance, key, ("--role-arn", role, "--json"), workload)


def _profile(iam: Any, ec2: Any, instance: str) -> None:
    trust = '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}'
    iam.create_role(RoleName="app", Path="/service/", AssumeRolePolicyDocument=trust)
    iam.create_instance_profile(InstanceProfileName="web", Path="/service/")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="app")
    ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={"Name": "web"})


@pytest.fixture
def enforced() -> Iterator[Authorization]:
    with AUTHORIZATION.enforced() as judge:
        yield judge


def test_an_instance_is_contained_and_released(
    prepared: Prepared, enforced: Authorization, cordon: Cordon
) -> None:
    case = ("--case", "IR-7", *prepared.options)
    answer = cordon("instance", prepared.instance, "--region", REGION, "--dwell", "0", *case)
    assert enforced.refused == [], answer.out
    assert answer.document["outcome"] == "contained", answer.out
    assert cordon("case", "verify", *case).code == 0
    # Giving the instance its own profile back takes PassRole on its role, which the responder
    # role must not have: all else is restored, and other credentials finish it.
    partly = cordon("release", prepared.instance, *case)
    assert enforced.refused == [f"iam:PassRole on {prepared.workload_role}"], partly.out
    failed = [s["name"] for s in partly.document["steps"] if s["status"] == "failed"]
    assert (partly.code, failed) == (1, ["swap-profile"])
    finished = cordon("release", prepared.instance, "--case", "IR-7", "--json")
    assert (finished.code, finished.document["outcome"]) == (0, "released"), finished.out


def test_a_key_is_disabled_and_hunted(
    prepared: Prepared, enforced: Authorization, cordon: Cordon
) -> None:
    answer = cordon("key", prepared.key, "--case", "IR-8", *prepared.options)
    assert enforced.refused == [], answer.out
    assert answer.document["outcome"] == "contained", answer.out
    (key,) = prepared.client("iam").list_access_keys(UserName="bob")["AccessKeyMetadata"]
    assert key["Status"] == "Inactive"
    released = cordon("release", prepared.key, "--case", "IR-8", *prepared.options)
    assert enforced.refused == [], released.out


def test_the_account_is_audited(
    prepared: Prepared, enforced: Authorization, cordon: Cordon
) -> None:
    answer = cordon("ready", "--regions", REGION, *prepared.options)
    assert enforced.refused == []
    assert not [c for c in answer.document["checks"] if c["status"] == "unknown"], answer.out


def test_what_the_role_lacks_is_refused(prepared: Prepared, enforced: Authorization) -> None:
    role = prepared.options[1]
    found = prepared.client("sts").assume_role(RoleArn=role, RoleSessionName="alice")["Credentials"]
    session = boto3.Session(
        found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region_name=REGION
    )
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        session.client("ec2").terminate_instances(InstanceIds=[prepared.instance])
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("iam").delete_role(RoleName=RESPONDER_ROLE)
    assert len(enforced.refused) == 2


def test_the_manifest_is_what_the_responders_read(prepared: Prepared) -> None:
    text = prepared.client("ssm").get_parameter(Name="/cordon/manifest")["Parameter"]["Value"]
    assert Manifest.from_json(text).vault_bucket
