"""`cordon vpc release` lets a VPC go, and only when nothing is isolated in it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from contract import TAG_IGNORE
from lab.calls import Calls
from tests.responders.conftest import REGION, Cordon, Scenario


def release(cordon: Cordon, scenario: Scenario, *words: str) -> int:
    return cordon("vpc", "release", scenario.vpc, "--region", REGION, *words).code


def test_the_groups_go_and_the_vpc_is_left_alone(scenario: Scenario, cordon: Cordon) -> None:
    assert release(cordon, scenario) == 0
    ec2 = scenario.client("ec2")
    with pytest.raises(ClientError, match="NotFound"):
        ec2.describe_security_groups(GroupIds=[scenario.isolate])
    assert scenario.tags(scenario.vpc)[TAG_IGNORE] == "true"
    assert ec2.describe_security_groups(GroupIds=[scenario.app_group])["SecurityGroups"]
    assert release(cordon, scenario) == 0


def test_a_group_in_use_stays(scenario: Scenario, cordon: Cordon, calls: Calls) -> None:
    cordon("instance", scenario.instance, "--case", "IR-7", "--region", REGION, "--dwell", "0")
    calls.clear()
    answer = cordon("vpc", "release", scenario.vpc, "--region", REGION, "--json")
    assert answer.code == 2
    assert scenario.instance in answer.document["error"]
    assert not calls.mutating


def test_a_dry_run_changes_nothing(scenario: Scenario, cordon: Cordon, calls: Calls) -> None:
    answer = cordon("vpc", "release", scenario.vpc, "--region", REGION, "--dry-run", "--json")
    assert (answer.code, answer.document["outcome"]) == (0, "planned")
    assert set(answer.document["groups"]) == {scenario.isolate, scenario.untrack}
    assert not calls.mutating


def test_an_attackers_group_is_not_ours(scenario: Scenario, cordon: Cordon) -> None:
    ec2 = scenario.client("ec2")
    planted = ec2.create_security_group(
        GroupName="planted", Description="planted", VpcId=scenario.vpc
    )["GroupId"]
    ec2.create_tags(Resources=[planted], Tags=[{"Key": "cordon:purpose", "Value": "isolate"}])
    assert release(cordon, scenario) == 0
    assert ec2.describe_security_groups(GroupIds=[planted])["SecurityGroups"]


@pytest.mark.parametrize("vpc", ["vpc-nothere", "vpc-0123456789abcdef0"])
def test_an_unknown_vpc_is_bad_input(scenario: Scenario, cordon: Cordon, vpc: str) -> None:
    assert cordon("vpc", "release", vpc, "--region", REGION).code == 2
