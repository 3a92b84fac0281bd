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
from lab.engine.engine import Engine, Protected
from lab.engine.provider import NotInTheTable
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
        "resourceControlTargets": [root],
        "ec2BaselineTargets": [root],
    }
    engine.up(PROGRAM, config)
    for kind in (
        "TAG_POLICY",
        "SERVICE_CONTROL_POLICY",
        "RESOURCE_CONTROL_POLICY",
        "DECLARATIVE_POLICY_EC2",
    ):
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


WHOLE: dict[str, Any] = {
    "stacks": ["account", "forensics"],
    "responders": [f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/alice"],
    "breakGlass": [f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/carol"],
    "tiers": {"eu-west-1": "hot"},
    "watch": "queue",
    "ebsDefaultEncryption": True,
}
"""Settings under which the program declares nearly every type that it knows."""


def test_what_changes_is_changed_in_place_and_what_is_declared_no_more_goes(
    engine: Engine, aws_lab: AwsLab, calls: Any
) -> None:
    created = engine.up(PROGRAM, WHOLE)
    changed = {
        **WHOLE,
        "responderCidrs": ["203.0.113.0/24"],
        "logDays": 365,
        "sessionHours": 2,
        "tags": {"Owner": "security"},
        "tiers": {},
    }
    calls.clear()
    engine.preview(PROGRAM, changed)
    planned = engine.changes
    assert calls.mutating == []
    engine.up(PROGRAM, changed)
    for did, would in zip(vars(engine.changes).items(), vars(planned).items(), strict=True):
        assert (did[0], sorted(did[1])) == (would[0], sorted(would[1]))
    assert (planned.created, planned.replaced) == ([], [])
    assert len(planned.deleted) == 5, "the interface endpoints"
    engine.refresh()
    calls.clear()
    engine.up(PROGRAM, changed)
    assert not engine.changes
    assert calls.mutating == []

    [vpc, *_] = created.exports["groups"]["eu-west-1"]
    group = created.exports["groups"]["eu-west-1"][vpc]["isolate"]
    assert rules(aws_lab.client, "eu-west-1", group) == group_rules(
        Purpose.ISOLATE, ("203.0.113.0/24",)
    )
    iam = aws_lab.client("iam")
    role = iam.get_role(RoleName="cordon-responder")["Role"]
    assert role["MaxSessionDuration"] == 2 * 3600
    assert {"Key": "Owner", "Value": "security"} in role["Tags"]
    text = aws_lab.client("ssm", "eu-west-1").get_parameter(Name=MANIFEST_PARAMETER)
    manifest = Manifest.from_json(text["Parameter"]["Value"])
    assert manifest.responder_cidrs == ("203.0.113.0/24",)


PROGRAM_OF_A_GROUP = """
import pulumi, pulumi_aws as aws
aws.cloudwatch.LogGroup("l", name={name!r}, region="eu-west-1", retention_in_days=7,
                        opts=pulumi.ResourceOptions(protect={protect}))
"""


def test_what_cannot_change_in_place_is_replaced_unless_it_is_protected(
    engine: Engine, aws_lab: AwsLab, tmp_path: Path
) -> None:
    def up(name: str, protect: bool) -> None:
        program = tmp_path / "__main__.py"
        program.write_text(PROGRAM_OF_A_GROUP.format(name=name, protect=protect))
        engine.up(program, {})

    def names() -> set[str]:
        groups = aws_lab.client("logs", "eu-west-1").describe_log_groups()["logGroups"]
        return {group["logGroupName"] for group in groups}

    up("first", protect=False)
    up("second", protect=False)
    assert (engine.changes.replaced, names()) == (["l"], {"second"})
    up("second", protect=True)
    with pytest.raises(Protected, match="l would be replaced: name"):
        up("third", protect=True)
    assert names() == {"second"}
