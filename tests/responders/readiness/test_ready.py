"""`cordon ready` names what a response would miss, and never passes what it could not look at."""

from __future__ import annotations

import json

import pytest

from contract import MANIFEST_PARAMETER, RESPONDER_ROLE, TAG_IGNORE, Purpose
from lab.calls import Calls
from lab.faults import Faults
from tests.responders.conftest import REGION, VAULT, Cordon, Scenario, prepare_group

HERE = ("--regions", REGION, "--json")


@pytest.fixture
def ready(scenario: Scenario) -> Scenario:
    """The scenario with the default VPC prepared too."""
    ec2 = scenario.client("ec2")
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        if vpc["VpcId"] != scenario.vpc:
            for purpose in (Purpose.ISOLATE, Purpose.UNTRACK):
                prepare_group(scenario.lab, REGION, vpc["VpcId"], purpose)
    return scenario


def findings(cordon: Cordon, check: str) -> list[dict[str, str]]:
    document = cordon("ready", *HERE).document
    return [c for c in document["checks"] if c["id"] == check]


def test_a_prepared_region_is_told_apart(ready: Scenario, cordon: Cordon, calls: Calls) -> None:
    groups = findings(cordon, "groups")
    assert {g["status"] for g in groups} == {"ok"}
    assert {g["vpc"] for g in groups} >= {ready.vpc}
    assert {f["status"] for f in findings(cordon, "manifest")} == {"ok"}
    assert not calls.mutating


def test_a_vpc_without_groups_fails(scenario: Scenario, cordon: Cordon) -> None:
    (bare,) = [g for g in findings(cordon, "groups") if g["vpc"] != scenario.vpc]
    assert bare["status"] == "fail"
    assert "no isolate group" in bare["detail"]
    assert "pulumi up" in bare["fix"]
    assert cordon("ready", *HERE).code == 1


def test_a_tampered_group_fails(ready: Scenario, cordon: Cordon) -> None:
    ready.client("ec2").authorize_security_group_egress(
        GroupId=ready.isolate,
        IpPermissions=[{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
    )
    (told,) = [g for g in findings(cordon, "groups") if g["vpc"] == ready.vpc]
    assert told["status"] == "fail"
    assert ready.isolate in told["detail"]


def test_an_ignored_vpc_is_named(ready: Scenario, cordon: Cordon) -> None:
    ready.client("ec2").create_tags(
        Resources=[ready.vpc], Tags=[{"Key": TAG_IGNORE, "Value": "true"}]
    )
    (told,) = [g for g in findings(cordon, "groups") if g["vpc"] == ready.vpc]
    assert told["status"] == "warn"


def test_an_unprepared_region_fails(ready: Scenario, cordon: Cordon) -> None:
    ready.client("ssm").delete_parameter(Name=MANIFEST_PARAMETER)
    (told,) = findings(cordon, "manifest")
    assert told["status"] == "fail"
    # The trust document still names the vault: it is looked at all the same.
    assert findings(cordon, "vault")[0]["status"] == "ok"


def test_what_can_not_be_looked_at_is_not_ready(
    ready: Scenario, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("ec2", "DescribeSecurityGroups")
    (told,) = findings(cordon, "groups")
    assert told["status"] == "unknown"
    answer = cordon("ready", *HERE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-ready")


def test_the_vault_is_looked_at(ready: Scenario, cordon: Cordon) -> None:
    told = {f["detail"].removeprefix(f"{VAULT} "): f["status"] for f in findings(cordon, "vault")}
    assert told["is versioned, locked and encrypted"] == "ok"
    assert told["is not closed to the public"] == "fail"
    assert told["has no bucket policy, so nothing keeps administrators from it"] == "fail"


def test_a_region_that_is_not_enabled_is_bad_input(ready: Scenario, cordon: Cordon) -> None:
    answer = cordon("ready", "--regions", "eu-nowhere-1", "--json")
    assert answer.code == 2
    assert REGION in answer.document["advice"]


def test_missing_tags_are_told(ready: Scenario, cordon: Cordon) -> None:
    told = findings(cordon, "tags")
    assert any("DataClassification" in f["detail"] for f in told)
    assert not any("Owner" in f["detail"] for f in told)


def test_what_is_alike_in_many_regions_is_one_row(ready: Scenario, cordon: Cordon) -> None:
    bare = ("ap-south-1", "ca-central-1", "us-east-1", "us-west-2")
    answer = cordon("ready", "--regions", ",".join((*bare, REGION)))
    rows = [line for line in answer.out.splitlines() if "nothing is prepared" in line]
    assert len(rows) == 1
    assert "4 regions" in rows[0]
    # The vault is looked at where one is known, wherever that stands in the list.
    assert VAULT in answer.out


@pytest.mark.parametrize(
    ("principal", "status"),
    [
        ("arn:aws:iam::{account}:user/alice", "warn"),
        ("arn:aws:iam::{account}:role/SecurityOnCall", "warn"),
        ("arn:aws:iam::{account}:root", "warn"),
        ("arn:aws:iam::222233334444:role/SecurityOnCall", "ok"),
        ("arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x", "ok"),
    ],
)
def test_principals_inside_the_account_can_be_taken_over(
    ready: Scenario, cordon: Cordon, principal: str, status: str
) -> None:
    iam = ready.client("iam")
    account = ready.client("sts").get_caller_identity()["Account"]
    who = principal.format(account=account)
    trust = {"Effect": "Allow", "Principal": {"AWS": [who]}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    try:
        iam.create_role(RoleName=RESPONDER_ROLE, Path="/cordon/", AssumeRolePolicyDocument=document)
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=RESPONDER_ROLE, PolicyDocument=document)
    (told,) = findings(cordon, "principals")
    assert told["status"] == status
    assert (who in told["detail"]) is (status == "warn")
