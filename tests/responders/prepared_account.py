"""An account that the Pulumi program prepared, in which calls are judged by the policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract import RESPONDER_ROLE
from lab.authorization import Authorization
from lab.engine.engine import Engine
from lab.mended import AUTHORIZATION
from tests.conftest import AwsLab
from tests.preparation import PROGRAM, user

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
