"""The program runs against an account: what it declares can be made, and is then so there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract import MANIFEST_PARAMETER, Manifest, Purpose, Rules, group_rules, permission_rules
from lab.engine.engine import Engine
from tests.conftest import AwsLab
from tests.preparation import EXTERNAL_ID, PROGRAM, user

REGIONS = ["eu-west-1", "us-east-1"]
CIDRS = ["198.51.100.0/24", "2001:db8:7::/48"]
Client = Callable[[str, str], Any]


@pytest.fixture
def client(aws_lab: AwsLab) -> Client:
    return aws_lab.client


def account_of(client: Client) -> str:
    return str(client("sts", "us-east-1").get_caller_identity()["Account"])


def settings(account: str) -> dict[str, Any]:
    return {
        "stacks": ["account", "forensics"],
        "regions": REGIONS,
        "responders": [user("alice", account)],
        "breakGlass": [user("carol", account)],
        "externalId": EXTERNAL_ID,
        "responderCidrs": CIDRS,
        "tiers": {"eu-west-1": "hot"},
        "watch": "queue",
        "ebsDefaultEncryption": True,
    }


def test_the_account_is_as_declared(client: Client) -> None:
    engine, config = Engine(client, "us-east-1"), settings(account_of(client))
    prepared = engine.up(PROGRAM, config)
    for region in REGIONS:
        text = client("ssm", region).get_parameter(Name=MANIFEST_PARAMETER)["Parameter"]["Value"]
        manifest = Manifest.from_json(text)
        _groups_are_exact(client, region, manifest)
        _forensic_vpc_is_closed(client, region, manifest)
        assert client("ec2", region).get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
        assert client("kms", region).describe_key(KeyId=manifest.key_arn)["KeyMetadata"]["Enabled"]
        for pin in manifest.documents.values():
            found = client("ssm", region).describe_document(Name=pin.name)["Document"]
            assert found["Hash"] == pin.sha256
    _vault_keeps(client, prepared.exports["vault"])
    _roles_exist(client)
    # The forensic VPCs that now exist are not taken for VPCs to prepare.
    again = engine.up(PROGRAM, config)
    assert {r.urn for r in again.registrations} == {r.urn for r in prepared.registrations}
    assert again.exports == prepared.exports


def _groups_are_exact(client: Client, region: str, manifest: Manifest) -> None:
    ec2 = client("ec2", region)
    vpcs = {v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"]}
    assert manifest.forensic_vpc in vpcs
    for purpose in (Purpose.ISOLATE, Purpose.UNTRACK):
        tag = {"Name": "tag:cordon:purpose", "Values": [purpose.value]}
        groups = ec2.describe_security_groups(Filters=[tag])["SecurityGroups"]
        assert sorted(g["VpcId"] for g in groups) == sorted(vpcs)
        for group in groups:
            rules = Rules(
                permission_rules(group["IpPermissions"]),
                permission_rules(group["IpPermissionsEgress"]),
            )
            assert rules == group_rules(purpose, CIDRS)


def _forensic_vpc_is_closed(client: Client, region: str, manifest: Manifest) -> None:
    ec2 = client("ec2", region)
    of_vpc = [{"Name": "vpc-id", "Values": [manifest.forensic_vpc]}]
    [default] = [
        g
        for g in ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]
        if g["GroupName"] == "default"
    ]
    assert (default["IpPermissions"], default["IpPermissionsEgress"]) == ([], [])
    routes = [
        r.get("GatewayId", "")
        for t in ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
        for r in t["Routes"]
    ]
    assert all(gateway == "local" or gateway.startswith("vpce-") for gateway in routes)
    subnets = ec2.describe_subnets(Filters=of_vpc)["Subnets"]
    assert {s["AvailabilityZone"]: s["SubnetId"] for s in subnets} == dict(manifest.subnets)
    endpoints = ec2.describe_vpc_endpoints(Filters=of_vpc)["VpcEndpoints"]
    assert len(endpoints) == (6 if region == "eu-west-1" else 1)


def _vault_keeps(client: Client, vault: dict[str, str]) -> None:
    s3, bucket = client("s3", vault["region"]), vault["bucket"]
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    default = lock["Rule"]["DefaultRetention"]
    assert (default["Mode"], default["Days"]) == (
        "GOVERNANCE",
        365,
    )
    put = s3.put_object(Bucket=bucket, Key="cases/IR-7/x", Body=b"x", ChecksumAlgorithm="SHA256")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="cases/IR-7/x", VersionId=put["VersionId"])
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="cases/IR-7/y", Body=b"y", ServerSideEncryption="AES256")
    assert s3.get_object(Bucket=bucket, Key="cases/IR-7/x")["Body"].read() == b"x"


def _roles_exist(client: Client) -> None:
    iam = client("iam", "us-east-1")
    roles = {r["RoleName"]: r for r in iam.list_roles(PathPrefix="/cordon/")["Roles"]}
    assert len(roles) == 7
    trust = json.dumps(roles["cordon-break-glass"]["AssumeRolePolicyDocument"])
    assert "aws:MultiFactorAuthPresent" in trust
    attached = iam.list_attached_role_policies(RoleName="cordon-responder")["AttachedPolicies"]
    assert all(p["PolicyName"].startswith("cordon-responder-") for p in attached)
    assert attached


def test_an_ignored_vpc_gets_no_groups(client: Client) -> None:
    ec2 = client("ec2", "eu-west-1")
    ignored = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[ignored], Tags=[{"Key": "cordon:ignore", "Value": "true"}])
    config = {"regions": ["eu-west-1"], "responders": [user("alice", account_of(client))]}
    program = Engine(client, "eu-west-1").up(PROGRAM, config)
    assert program.exports["ignoredVpcs"] == {"eu-west-1": [ignored]}
    of_vpc = [{"Name": "vpc-id", "Values": [ignored]}]
    names = [g["GroupName"] for g in ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]]
    assert names == ["default"]
