"""Public addresses: Elastic IPs come back, an assigned one is replaced, none comes by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.action import Action, Incident, Observation
from responders.actions.drop_addresses import DropAddresses
from responders.errors import Skip
from responders.graph import Step
from responders.result import Done, Failed, Skipped, reason_of
from tests.responders.addresses import allocate
from tests.responders.conftest import Scenario
from tests.responders.life import Life


def elastic(scenario: Scenario) -> dict[str, Any]:
    """Elastic IP to its interface."""
    answer = scenario.client("ec2").describe_addresses()
    return {a["AllocationId"]: a.get("NetworkInterfaceId") or None for a in answer["Addresses"]}


def public(scenario: Scenario) -> dict[str, str]:
    """Interface to its public address."""
    answer = scenario.client("ec2").describe_network_interfaces(
        NetworkInterfaceIds=list(scenario.enis)
    )
    return {
        i["NetworkInterfaceId"]: i["Association"]["PublicIp"]
        for i in answer["NetworkInterfaces"]
        if i.get("Association", {}).get("PublicIp")
    }


def assign(scenario: Scenario, eni: str) -> None:
    scenario.client("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=eni, AssociatePublicIpAddress=True
    )


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(
        DropAddresses(),
        scenario,
        calls,
        lambda: (elastic(scenario), sorted(public(scenario))),
    )


def test_life(life: Life, scenario: Scenario) -> None:
    first, second = (allocate(scenario, eni) for eni in scenario.enis)

    def done() -> None:
        assert elastic(scenario) == {first: None, second: None}
        assert public(scenario) == {}

    def outsider() -> str:
        made = scenario.client("ec2").create_network_interface(
            SubnetId=scenario.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        )["NetworkInterface"]
        scenario.client("ec2").associate_address(
            AllocationId=second, NetworkInterfaceId=made["NetworkInterfaceId"]
        )
        return second

    life.whole(done, drift=outsider)


def test_an_assigned_address_is_given_up_and_replaced(life: Life, scenario: Scenario) -> None:
    assign(scenario, scenario.enis[0])
    [former] = public(scenario).values()

    def done() -> None:
        assert public(scenario) == {}

    life.planned()
    life.done_and_released(done)
    [new] = public(scenario).values()
    assert new != former
    assert former not in elastic(scenario)


def test_an_address_that_comes_when_an_elastic_one_leaves(
    life: Life, scenario: Scenario, calls: Calls
) -> None:
    """EC2 assigns one by itself: it is taken as well, and release owes none for it."""
    assign(scenario, scenario.enis[0])
    allocation = allocate(scenario, scenario.enis[0])
    calls.clear()
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert public(scenario) == {}
    assert elastic(scenario) == {allocation: None}
    released_exactly(life, scenario, allocation)
    assert switched(calls) == [False]


def test_one_that_comes_late(life: Life, scenario: Scenario, calls: Calls) -> None:
    """Within minutes, says EC2: the look at the end of the run takes it."""
    allocation = allocate(scenario, scenario.enis[0])
    calls.clear()
    late = Step(Late(lambda: assign(scenario, scenario.enis[0])), after={DropAddresses: None})
    report, _ = life.respond(Step(life.action, recheck=True), late)
    assert isinstance(report.result, Done), reason_of(report.result)
    assert "it no longer held at the end, and was tried again" in report.notes
    assert public(scenario) == {}
    released_exactly(life, scenario, allocation)
    assert switched(calls) == [True, False]


def released_exactly(life: Life, scenario: Scenario, allocation: str) -> None:
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Done), reason_of(released.result)
    assert elastic(scenario) == {allocation: scenario.enis[0]}


def switched(calls: Calls) -> list[bool]:
    """How the assignment of addresses was switched, in order."""
    modified = calls.of("ec2", "ModifyNetworkInterfaceAttribute")
    return [call.params["AssociatePublicIpAddress"] for call in modified]


class Late(Action):
    """Something that happens outside while the response goes on."""

    name = "late"

    def __init__(self, happen: Callable[[], None]) -> None:
        self._happen = happen

    def observe(self, incident: Incident) -> Observation:
        self._happen()
        raise Skip("it happened")


def test_no_address(life: Life) -> None:
    assert life.run().result == Skipped("no public IPv4 address")


def test_one_refusal_stops_no_other(life: Life, scenario: Scenario, faults: Faults) -> None:
    allocation = allocate(scenario, scenario.enis[0])
    assign(scenario, scenario.enis[1])
    faults.deny("ec2", "DisassociateAddress")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert elastic(scenario) == {allocation: scenario.enis[0]}
    assert set(public(scenario)) == {scenario.enis[0]}


def test_an_elastic_ip_that_was_released_meanwhile(life: Life, scenario: Scenario) -> None:
    """It can't come back: drift, told; the others do."""
    first, second = (allocate(scenario, eni) for eni in scenario.enis)
    life.run()
    scenario.client("ec2").release_address(AllocationId=first)
    report = life.release()
    assert report is not None
    assert isinstance(report.result, Skipped)
    assert first in report.result.reason
    assert elastic(scenario) == {second: scenario.enis[1]}
