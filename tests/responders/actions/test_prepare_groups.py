"""The groups: used as prepared, repaired when tampered with, made when missing; always loudly."""

from __future__ import annotations

from typing import Any

import pytest

from contract import (
    EVERYTHING,
    GROUP_NAMES,
    TAG_PURPOSE,
    Purpose,
    Rule,
    Rules,
    group_rules,
    rule_permission,
)
from lab.calls import Calls
from lab.faults import Faults
from responders import prepared
from responders.actions.prepare_groups import PrepareGroups
from responders.aws import Access, Aws
from responders.result import AlreadyInPlace, Done, Failed, reason_of
from responders.runner import StepReport
from tests.responders.conftest import Scenario
from tests.responders.evidence import prepare
from tests.responders.life import Life


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(
        PrepareGroups(untrack=True), scenario, calls, lambda: groups(scenario), reversible=False
    )


def groups(scenario: Scenario) -> dict[str, Rules]:
    """Purpose to the rules of the one group of it."""
    found = prepared.groups(Aws(Access(region=scenario.region)), scenario.region)
    assert len({g.purpose for g in found}) == len(found)
    return {g.purpose: g.rules for g in found}


def as_prepared(scenario: Scenario) -> None:
    wanted = (Purpose.ISOLATE, Purpose.UNTRACK)
    assert groups(scenario) == {purpose: group_rules(purpose) for purpose in wanted}


def tamper(scenario: Scenario, group: str, rule: Rule, way: str = "egress") -> None:
    getattr(scenario.client("ec2"), f"authorize_security_group_{way}")(
        GroupId=group, IpPermissions=[rule_permission(rule)]
    )


def told(report: StepReport) -> str:
    return "\n".join(report.risks)


def test_nothing_to_do_and_nothing_told(life: Life) -> None:
    report = life.run()
    assert isinstance(report.result, AlreadyInPlace)
    assert report.risks == ()
    assert life.mutating() == []


TAMPERED = {
    "IPv4": Rule("-1", 0, 0, "0.0.0.0/0"),
    "IPv6": Rule("-1", 0, 0, "::/0"),
    "prefix list": Rule("tcp", 443, 443, "pl-0123456789abcdef0"),
    "another group": Rule("tcp", 22, 22, "sg-other"),
    "one host": Rule("tcp", 4444, 4444, "203.0.113.7/32"),
}


@pytest.mark.parametrize("way", ["ingress", "egress"])
@pytest.mark.parametrize("rule", TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_group_is_repaired(life: Life, scenario: Scenario, rule: Rule, way: str) -> None:
    scenario.client("ec2").associate_vpc_cidr_block(
        VpcId=scenario.vpc, AmazonProvidedIpv6CidrBlock=True
    )
    if rule.peer == "sg-other":
        rule = Rule(rule.protocol, rule.from_port, rule.to_port, scenario.app_group)
    tamper(scenario, scenario.isolate, rule, way)
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    as_prepared(scenario)
    assert f"readiness: {scenario.isolate} (isolate, {scenario.vpc})" in told(report)


def test_a_rule_that_lacks_is_added(life: Life, scenario: Scenario) -> None:
    scenario.client("ec2").revoke_security_group_egress(
        GroupId=scenario.untrack, IpPermissions=[rule_permission(EVERYTHING[1])]
    )
    life.run()
    as_prepared(scenario)


def test_responders_keep_their_way_in(life: Life, scenario: Scenario) -> None:
    """The rules that are pinned stay while what was added is removed; none is ever added."""
    prepare(scenario, responder_cidrs=("198.51.100.0/24", "192.0.2.0/24"))
    ssh = Rule("tcp", 22, 22, "198.51.100.0/24")
    tamper(scenario, scenario.isolate, ssh, "ingress")
    assert isinstance(life.run().result, AlreadyInPlace)
    tamper(scenario, scenario.isolate, Rule("tcp", 22, 22, "203.0.113.0/24"), "ingress")
    assert isinstance(life.run().result, Done)
    assert groups(scenario)["isolate"] == Rules(ingress=(ssh,))


@pytest.fixture
def nothing_prepared(scenario: Scenario) -> None:
    for group in (scenario.isolate, scenario.untrack):
        scenario.client("ec2").delete_security_group(GroupId=group)


@pytest.mark.usefixtures("nothing_prepared")
class TestNothingPrepared:
    def test_life(self, life: Life, scenario: Scenario) -> None:
        """Made once, kept on release: a second life finds it in place."""
        life.planned()
        life.noop_fails()
        report = life.run()
        assert isinstance(report.result, Done), reason_of(report.result)
        assert f"readiness: {scenario.vpc} has no isolate group: it is created now" in told(report)
        as_prepared(scenario)
        life.holds_without_changes()
        life.restores(None)
        as_prepared(scenario)

    def test_a_lost_answer_makes_no_second_group(
        self, life: Life, scenario: Scenario, faults: Faults
    ) -> None:
        faults.lose("ec2", "CreateSecurityGroup", times=2)
        assert isinstance(life.run().result, Done)
        as_prepared(scenario)

    def test_a_squatter_of_the_name_is_passed_by(self, life: Life, scenario: Scenario) -> None:
        theirs = scenario.client("ec2").create_security_group(
            GroupName=f"{GROUP_NAMES[Purpose.ISOLATE]}-on-demand",
            Description="x",
            VpcId=scenario.vpc,
        )["GroupId"]
        assert isinstance(life.run().result, Done)
        as_prepared(scenario)
        assert "isolate" not in scenario.tags(theirs).values()

    def test_no_permission_to_make_one(
        self, life: Life, scenario: Scenario, faults: Faults
    ) -> None:
        faults.deny("ec2", "CreateSecurityGroup")
        report = life.run()
        assert isinstance(report.result, Failed)
        assert "UnauthorizedOperation" in str(reason_of(report.result))
        assert f"{scenario.vpc} has no isolate group" in str(reason_of(report.result))


def test_a_fake_group_is_not_used_while_the_true_one_is_there(
    life: Life, scenario: Scenario
) -> None:
    """Somebody tags a group of their own, whose rules let them in."""
    fake = fake_group(scenario)
    tamper(scenario, fake, Rule("-1", 0, 0, "203.0.113.7/32"), "ingress")
    seen: dict[str, Any] = dict(life.observe())
    assert seen[f"{scenario.vpc} isolate"]["group"] == scenario.isolate
    assert isinstance(life.run().result, AlreadyInPlace)


def fake_group(scenario: Scenario) -> str:
    group = scenario.client("ec2").create_security_group(
        GroupName="fake", Description="x", VpcId=scenario.vpc
    )["GroupId"]
    scenario.client("ec2").create_tags(
        Resources=[group], Tags=[{"Key": TAG_PURPOSE, "Value": "isolate"}]
    )
    return str(group)
