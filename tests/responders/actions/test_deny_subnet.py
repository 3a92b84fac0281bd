"""Denying addresses for a whole subnet: first, both ways, told, and undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.deny_subnet import DenySubnet
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.life import Life

V4, V6 = "203.0.113.7/32", "2001:db8::7/128"


def acl(scenario: Scenario) -> dict[str, Any]:
    return scenario.client("ec2").describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [scenario.vpc]}]
    )["NetworkAcls"][0]


def entries(scenario: Scenario) -> list[tuple[Any, ...]]:
    """Every entry: egress, number, action, peer."""
    return sorted(
        (
            e["Egress"],
            e["RuleNumber"],
            e["RuleAction"],
            e.get("CidrBlock") or e.get("Ipv6CidrBlock"),
        )
        for e in acl(scenario)["Entries"]
    )


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    made = Life(DenySubnet(), scenario, calls, lambda: entries(scenario))
    made.action = replace(made.action, remotes=(V4, V6))
    return made


def add(scenario: Scenario, number: int, action: str, cidr: str, *, egress: bool = False) -> None:
    scenario.client("ec2").create_network_acl_entry(
        NetworkAclId=acl(scenario)["NetworkAclId"],
        RuleNumber=number,
        Protocol="-1",
        RuleAction=action,
        Egress=egress,
        CidrBlock=cidr,
    )


def test_life(life: Life, scenario: Scenario) -> None:
    def done() -> None:
        found = entries(scenario)
        for egress in (False, True):
            first = [entry[1:] for entry in found if entry[0] == egress][:2]
            assert first == [(1, "deny", V6), (2, "deny", V4)]

    def outsider() -> str:
        add(scenario, 50, "deny", V4)
        return f"{acl(scenario)['NetworkAclId']} ingress {V4}"

    life.whole(done, drift=outsider)


def test_it_goes_before_what_allows_and_says_whom_it_hits(life: Life, scenario: Scenario) -> None:
    add(scenario, 1, "deny", "192.0.2.0/24")
    add(scenario, 4, "allow", "0.0.0.0/0")
    add(scenario, 90, "deny", V4)
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    ours = {n for egress, n, action, peer in entries(scenario) if peer in (V4, V6) and not egress}
    assert ours == {2, 3, 90}
    subnet = acl(scenario)["Associations"][0]["SubnetId"]
    assert any(subnet in note for note in report.notes)
    life.release()
    assert (False, 90, "deny", V4) in entries(scenario)
    assert len([e for e in entries(scenario) if e[3] in (V4, V6)]) == 1


def test_denied_before_is_left_alone(life: Life, scenario: Scenario) -> None:
    life.action = replace(life.action, remotes=(V4,))
    add(scenario, 5, "deny", V4)
    add(scenario, 5, "deny", V4, egress=True)
    assert isinstance(life.run().result, AlreadyInPlace)


def test_no_number_left(life: Life, scenario: Scenario) -> None:
    add(scenario, 1, "allow", "0.0.0.0/0")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "no rule number is free" in str(reason_of(report.result))
    assert {(e[0], e[3]) for e in entries(scenario) if e[2] == "deny" and e[1] < 99} == {
        (True, V4),
        (True, V6),
    }


def test_a_full_acl(life: Life, faults: Faults) -> None:
    faults.fail("ec2", "CreateNetworkAclEntry", "NetworkAclEntryLimitExceeded", "20 entries")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "NetworkAclEntryLimitExceeded" in str(reason_of(report.result))


def test_an_acl_of_another_account(life: Life, scenario: Scenario) -> None:
    """In a shared VPC its owner's network ACLs are not to be seen."""
    from moto.backends import get_backend

    backend: Any = get_backend("ec2")["123456789012"][scenario.region]
    backend.network_acls.clear()
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert report.result.incomplete
    assert "only its owner" in report.result.reason


def test_release_needs_no_option(life: Life, scenario: Scenario) -> None:
    """The record says what to remove, whatever the newest run was asked for."""
    before = entries(scenario)
    life.run()
    life.action = replace(life.action, remotes=())
    life.restores(before)


def test_nothing_asked_for(scenario: Scenario, calls: Calls) -> None:
    assert Life(DenySubnet(), scenario, calls, dict).run().result == Skipped("no address to deny")
