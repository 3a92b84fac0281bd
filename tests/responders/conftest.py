"""A small account under attack: one instance, prepared groups, and the command line to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.main import get_command

from contract import (
    GROUP_DESCRIPTIONS,
    GROUP_NAMES,
    KEY_ALIAS,
    MANIFEST_PARAMETER,
    Manifest,
    Purpose,
    group_rules,
    kit_tags,
    rule_permission,
)
from responders.cli import app
from tests.conftest import AwsLab
from tests.responders.pinning import pin_account

REGION = "eu-west-1"
VAULT = f"cordon-vault-123456789012-{REGION}"
"""The conventional name of the vault of the lab's own account."""
COMMAND = get_command(app)
"""The real command line, built once: that takes longer than most commands."""


@dataclass
class Scenario:
    """One workload instance with two interfaces in a prepared VPC, and what was there before."""

    lab: AwsLab
    region: str
    vpc: str
    instance: str
    app_group: str
    isolate: str = ""
    untrack: str = ""
    enis: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Plain boto3 in the scenario's region."""
        return self.lab.client(service, self.region)

    def groups(self) -> dict[str, list[str]]:
        """Interface to its groups, as the API says now."""
        answer = self.client("ec2").describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-id", "Values": [self.instance]}]
        )
        return {
            i["NetworkInterfaceId"]: sorted(g["GroupId"] for g in i["Groups"])
            for i in answer["NetworkInterfaces"]
        }

    def tags(self, resource: str) -> dict[str, str]:
        """A resource's tags, as the API says now."""
        answer = self.client("ec2").describe_tags(
            Filters=[{"Name": "resource-id", "Values": [resource]}]
        )
        return {t["Key"]: t["Value"] for t in answer["Tags"]}


def prepare_group(lab: AwsLab, region: str, vpc: str, purpose: Purpose) -> str:
    """A group exactly as preparation makes it."""
    ec2 = lab.client("ec2", region)
    group = ec2.create_security_group(
        GroupName=GROUP_NAMES[purpose], Description=GROUP_DESCRIPTIONS[purpose], VpcId=vpc
    )["GroupId"]
    ec2.create_tags(
        Resources=[group], Tags=[{"Key": k, "Value": v} for k, v in kit_tags(purpose).items()]
    )
    described = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    if described["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(
            GroupId=group, IpPermissions=described["IpPermissionsEgress"]
        )
    rules = group_rules(purpose)
    if rules.ingress:
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[rule_permission(r) for r in rules.ingress]
        )
        ec2.authorize_security_group_egress(
            GroupId=group, IpPermissions=[rule_permission(r) for r in rules.egress]
        )
    return str(group)


def prepare_vault(lab: AwsLab, region: str, bucket: str = VAULT) -> None:
    """A vault as preparation makes it, its key, and the manifest that names them."""
    kms, s3 = lab.client("kms", region), lab.client("s3", region)
    key = kms.create_key(Description="evidence")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=KEY_ALIAS, TargetKeyId=key)
    s3.create_bucket(
        Bucket=bucket,
        CreateBucketConfiguration={"LocationConstraint": region},
        ObjectLockEnabledForBucket=True,
    )
    s3.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 365}},
        },
    )
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": encryption}]
        },
    )
    manifest = Manifest(vault_bucket=bucket, vault_region=region, vault_key_arn=key, key_arn=key)
    lab.client("ssm", region).put_parameter(
        Name=MANIFEST_PARAMETER, Type="String", Value=manifest.to_json()
    )


@pytest.fixture
def scenario(aws_lab: AwsLab) -> Scenario:
    """The account of `Scenario`, with groups, vault and manifest prepared."""
    return build(aws_lab)


def build(aws_lab: AwsLab) -> Scenario:
    """The same in a test that needs more than one, each in an account made empty before."""
    ec2 = aws_lab.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="app", Description="app", VpcId=vpc)["GroupId"]
    second = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc)["GroupId"]
    instance = ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        UserData="#!/bin/sh\necho hello\n",
        NetworkInterfaces=[
            {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group]},
            {"DeviceIndex": 1, "SubnetId": subnet, "Groups": [group, second]},
        ],
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [
                    {"Key": "Environment", "Value": "Production"},
                    {"Key": "Owner", "Value": "alice"},
                ],
            }
        ],
    )["Instances"][0]
    made = Scenario(
        aws_lab,
        REGION,
        vpc,
        instance["InstanceId"],
        group,
        isolate=prepare_group(aws_lab, REGION, vpc, Purpose.ISOLATE),
        untrack=prepare_group(aws_lab, REGION, vpc, Purpose.UNTRACK),
        enis=tuple(sorted(i["NetworkInterfaceId"] for i in instance["NetworkInterfaces"])),
    )
    prepare_vault(aws_lab, REGION)
    pin_account(aws_lab, REGION)
    return made


@dataclass(frozen=True)
class Answer:
    """What a command gave: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def step(self, name: str) -> dict[str, Any]:
        """One step of the document."""
        return next(s for s in self.document["steps"] if s["name"] == name)


Cordon = Callable[..., Answer]


@pytest.fixture
def cordon(capsys: pytest.CaptureFixture[str]) -> Cordon:
    """Runs the real command line in this process: `cordon("instance", target, "--case", …)`."""

    def run(*words: str) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            COMMAND(list(words))
        said = capsys.readouterr()
        return Answer(int(exit_.value.code or 0), said.out, said.err)

    return run
