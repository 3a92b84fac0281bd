"""Moto as the engine: what the program declares is really there, as the provider would make it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from pulumi.runtime.mocks import MockResourceArgs

from contract import KEY_ALIAS, MANIFEST_PARAMETER, Manifest, Purpose, group_rules
from lab import record
from lab.account import PROGRAM
from lab.engine.engine import Engine, NotInTheTable
from lab.inprocess import clients
from lab.look import prepared_group, rules
from lab.mends import regions as region_list
from lab.server import credentials_env
from tests.conftest import AwsLab

REGIONS = ("eu-west-1", "us-east-1")


@pytest.fixture
def engine(aws_lab: AwsLab) -> Iterator[Engine]:
    region_list.enable(DEFAULT_ACCOUNT_ID, REGIONS)
    return Engine(clients(credentials_env()), "eu-west-1")


def deployment(name: str) -> dict[str, Any]:
    """One of the recorded deployments, in the lab's account."""
    text = json.dumps(dict(record.DEPLOYMENTS[name])).replace("111122223333", DEFAULT_ACCOUNT_ID)
    return dict(json.loads(text))


def test_an_account_is_prepared(engine: Engine, aws_lab: AwsLab) -> None:
    program = engine.up(PROGRAM, deployment("account"))
    exports = program.exports
    assert exports["regions"] == list(REGIONS)
    for region in REGIONS:
        ec2 = aws_lab.client("ec2", region)
        for vpc in (v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"]):
            for purpose in (Purpose.ISOLATE, Purpose.UNTRACK):
                group = exports["groups"][region][vpc][purpose.value]
                expected = group_rules(purpose, ("192.0.2.0/24", "2001:db8::/48"))
                assert rules(aws_lab.client, region, group) == expected
        key = aws_lab.client("kms", region).describe_key(KeyId=KEY_ALIAS)["KeyMetadata"]
        assert key["Arn"] == exports["keys"][region]
        answer = ec2.get_ebs_encryption_by_default()
        assert answer["EbsEncryptionByDefault"] is True
        assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key["Arn"]
        text = aws_lab.client("ssm", region).get_parameter(Name=MANIFEST_PARAMETER)
        manifest = Manifest.from_json(text["Parameter"]["Value"])
        assert manifest.vault_bucket == exports["vault"]["bucket"]
        for pin in manifest.documents.values():
            document = aws_lab.client("ssm", region).describe_document(Name=pin.name)["Document"]
            assert document["Hash"] == pin.sha256
    s3, vault = aws_lab.client("s3"), exports["vault"]["bucket"]
    lock = s3.get_object_lock_configuration(Bucket=vault)["ObjectLockConfiguration"]["Rule"]
    assert lock == {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 365}}
    encryption = s3.get_bucket_encryption(Bucket=vault)["ServerSideEncryptionConfiguration"]
    default = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": exports["vault"]["keyArn"]}
    assert all(s3.get_public_access_block(Bucket=vault)["PublicAccessBlockConfiguration"].values())
    role = aws_lab.client("iam").get_role(RoleName="cordon-responder")["Role"]
    assert role["Arn"] == exports["responderRole"]
    assert role["Path"] == "/cordon/"
    topics = aws_lab.client("sns", "eu-west-1").list_topics()["Topics"]
    assert [t["TopicArn"].rsplit(":", 1)[-1] for t in topics] == ["cordon-new-vpc"]


def test_forensics_are_prepared(engine: Engine, aws_lab: AwsLab) -> None:
    program = engine.up(PROGRAM, {**deployment("forensics"), "regions": ["eu-west-1"]})
    ec2 = aws_lab.client("ec2", "eu-west-1")
    tagged = [{"Name": "tag:cordon:purpose", "Values": ["forensics"]}]
    [vpc] = ec2.describe_vpcs(Filters=tagged)["Vpcs"]
    text = aws_lab.client("ssm", "eu-west-1").get_parameter(Name=MANIFEST_PARAMETER)
    manifest = Manifest.from_json(text["Parameter"]["Value"])
    assert manifest.forensic_vpc == vpc["VpcId"]
    assert manifest.subnets
    of_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    services = {
        e["ServiceName"].rsplit(".", 1)[-1]
        for e in ec2.describe_vpc_endpoints(Filters=of_vpc)["VpcEndpoints"]
    }
    assert {"s3", "ssm", "ssmmessages"} <= services
    assert len(ec2.describe_flow_logs()["FlowLogs"]) == 1
    found = ec2.describe_security_groups(
        Filters=[*of_vpc, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"][0]
    assert (found["IpPermissions"], found["IpPermissionsEgress"]) == ([], [])
    role = aws_lab.client("iam").get_role(RoleName="cordon-responder")["Role"]
    assert "example-external-id" in json.dumps(role["AssumeRolePolicyDocument"])
    assert "example-external-id" not in json.dumps(dict(program.exports))


def test_an_organization_is_prepared(engine: Engine, aws_lab: AwsLab) -> None:
    organizations = aws_lab.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    config = {
        **deployment("organization"),
        "organizationId": organization["Id"],
        "tagPolicyTargets": [root],
        "guardrailTargets": [root],
    }
    engine.up(PROGRAM, config)
    for kind in ("TAG_POLICY", "SERVICE_CONTROL_POLICY"):
        attached = organizations.list_policies_for_target(TargetId=root, Filter=kind)["Policies"]
        assert any(p["Name"].startswith("cordon-") for p in attached)


def test_a_group_in_a_vpc_with_ipv6_keeps_no_default_rule(engine: Engine, aws_lab: AwsLab) -> None:
    ec2 = aws_lab.client("ec2", "eu-west-1")
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)
    engine.up(PROGRAM, {"responders": [f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/alice"]})
    vpc = made["Vpc"]["VpcId"]
    assert prepared_group(aws_lab.client, "eu-west-1", vpc, Purpose.ISOLATE)
    assert prepared_group(aws_lab.client, "eu-west-1", vpc, Purpose.UNTRACK)


def test_a_second_run_adds_what_is_new_and_nothing_else(
    engine: Engine, aws_lab: AwsLab, calls: Any
) -> None:
    config = {"responders": [f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/alice"]}
    engine.up(PROGRAM, config)
    calls.clear()
    engine.up(PROGRAM, config)
    assert calls.mutating == []
    made = aws_lab.client("ec2", "eu-west-1").create_vpc(CidrBlock="10.0.0.0/16")
    calls.clear()
    engine.up(PROGRAM, config)
    assert [c.params["VpcId"] for c in calls.of("ec2", "CreateSecurityGroup")] == [
        made["Vpc"]["VpcId"]
    ] * 2
    assert {c.action for c in calls.mutating} <= {
        "ec2:CreateSecurityGroup",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:AuthorizeSecurityGroupEgress",
    }


def test_a_type_that_nothing_creates_says_where_to_add_it(engine: Engine) -> None:
    args = MockResourceArgs("aws:rds/cluster:Cluster", "c", {}, custom=True)
    with pytest.raises(NotInTheTable, match=r"aws:rds/cluster:Cluster.*lab/engine/table\.py"):
        engine.new_resource(args)


def test_what_would_change_is_refused(engine: Engine, tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    for days in (7, 14):
        program.write_text(
            "import pulumi_aws as aws\n"
            f"aws.cloudwatch.LogGroup('l', name='l', region='eu-west-1', retention_in_days={days})"
        )
        if days == 7:
            engine.up(program, {})
    with pytest.raises(NotInTheTable, match="would change: retentionInDays"):
        engine.up(program, {})
