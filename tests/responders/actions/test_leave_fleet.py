"""Leaving an Auto Scaling group: standby or out, with or without a replacement, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.leave_fleet import LeaveFleet
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.conftest import REGION, Scenario
from tests.responders.fleets import GROUP, fleet, make_fleet
from tests.responders.life import Life


def marks(scenario: Scenario) -> dict[str, str]:
    """The tags of the group, which nothing that it launches gets."""
    tags = scenario.client("autoscaling").describe_tags(
        Filters=[{"Name": "auto-scaling-group", "Values": [GROUP]}]
    )["Tags"]
    assert not any(tag["PropagateAtLaunch"] for tag in tags)
    return {tag["Key"]: tag["Value"] for tag in tags}


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(LeaveFleet(detach=False), scenario, calls, lambda: fleet(scenario)["state"])


def without_replacement(life: Life, **more: Any) -> None:
    life.action = replace(life.action, replaced=False, **more)


def test_standby_life(life: Life, scenario: Scenario) -> None:
    make_fleet(scenario, low=0, high=9)

    def done() -> None:
        assert fleet(scenario)["state"] == "Standby"
        assert fleet(scenario)["others"] >= 1
        assert marks(scenario)["cordon:status"] == "quarantined"

    def outsider() -> str:
        scenario.client("autoscaling").detach_instances(
            AutoScalingGroupName=GROUP,
            InstanceIds=[scenario.instance],
            ShouldDecrementDesiredCapacity=False,
        )
        return GROUP

    life.whole(done, drift=outsider)


def test_detached_life(life: Life, scenario: Scenario) -> None:
    make_fleet(scenario, low=0, high=9)
    life.action = replace(life.action, detach=True)

    def done() -> None:
        assert fleet(scenario)["state"] is None

    life.whole(done)


@pytest.mark.parametrize("detach", [False, True], ids=["standby", "detach"])
def test_at_the_minimum_without_replacement(life: Life, scenario: Scenario, detach: bool) -> None:
    """The usual group of one: it would launch another, so its minimum is lowered and put back."""
    make_fleet(scenario, low=1, high=1)
    without_replacement(life, detach=detach)
    life.state = lambda: fleet(scenario)

    def done() -> None:
        assert fleet(scenario)["sizes"] == (0, 0, 1)
        assert fleet(scenario)["others"] == 0

    life.whole(done)


def test_above_the_minimum_without_replacement(life: Life, scenario: Scenario) -> None:
    make_fleet(scenario, low=0, high=1)
    without_replacement(life)
    before = fleet(scenario)
    report = life.run()
    assert report.notes == ()
    assert fleet(scenario) == {"state": "Standby", "others": 0, "sizes": (0, 0, 1)}
    life.state = lambda: fleet(scenario)
    life.restores(before)


def test_the_minimum_may_not_be_lowered(life: Life, scenario: Scenario, faults: Faults) -> None:
    """It leaves all the same, for a member would be terminated: with a replacement, and told."""
    make_fleet(scenario, low=1, high=1)
    without_replacement(life)
    faults.deny("autoscaling", "UpdateAutoScalingGroup")
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert any("launches a replacement all the same" in risk for risk in report.risks)
    assert fleet(scenario) == {"state": "Standby", "others": 1, "sizes": (1, 1, 1)}


def test_back_beside_its_replacement(life: Life, scenario: Scenario) -> None:
    """A full group has no room for the instance any more: it is made, and told."""
    make_fleet(scenario, low=1, high=1)
    assert isinstance(life.run().result, Done)
    assert fleet(scenario) == {"state": "Standby", "others": 1, "sizes": (1, 1, 1)}
    report = life.release()
    assert report is not None
    assert isinstance(report.result, Done), reason_of(report.result)
    assert fleet(scenario) == {"state": "InService", "others": 1, "sizes": (1, 2, 2)}
    assert any(f"maximum size of {GROUP} is 2 instead of 1" in risk for risk in report.risks)


def test_not_in_a_group(life: Life) -> None:
    assert life.run().result == Skipped("not in an Auto Scaling group")
    assert life.mutating() == []


def test_who_was_on_standby_stays_there(life: Life, scenario: Scenario) -> None:
    make_fleet(scenario, low=0, high=9)
    scenario.client("autoscaling").enter_standby(
        AutoScalingGroupName=GROUP,
        InstanceIds=[scenario.instance],
        ShouldDecrementDesiredCapacity=True,
    )
    assert isinstance(life.run().result, AlreadyInPlace)
    assert life.release() is None
    assert fleet(scenario)["state"] == "Standby"


def test_states_on_the_way_are_no_drift(life: Life, scenario: Scenario) -> None:
    """Standby is reached by and by; release waits for it."""
    make_fleet(scenario, low=0, high=9)
    member = members(scenario)[scenario.instance]
    assert isinstance(life.run().result, Done)
    member.lifecycle_state = "EnteringStandby"
    assert isinstance(life.run().result, AlreadyInPlace)
    member.lifecycle_state = "Standby"
    report = life.release()
    assert report is not None
    assert isinstance(report.result, Done)


def test_an_instance_that_its_group_terminates(life: Life, scenario: Scenario) -> None:
    make_fleet(scenario, low=0, high=9)
    members(scenario)[scenario.instance].lifecycle_state = "Terminating:Wait"
    report = life.run()
    assert isinstance(report.result, Failed)
    assert f"{GROUP} is terminating the instance, and its evidence with it" in report.risks


def guards(scenario: Scenario) -> dict[str, Any]:
    """What keeps the group from terminating the instance."""
    group = scenario.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[GROUP]
    )["AutoScalingGroups"][0]
    return {
        "suspended": sorted(p["ProcessName"] for p in group["SuspendedProcesses"]),
        "protected": [
            i["ProtectedFromScaleIn"]
            for i in group["Instances"]
            if i["InstanceId"] == scenario.instance
        ],
    }


@pytest.mark.parametrize("detach", [True, False], ids=["detach", "standby"])
@pytest.mark.parametrize(
    "state", ["Pending", "Pending:Wait", "Terminating", "Terminating:Wait", "Warmed:Running"]
)
def test_a_member_that_can_t_leave_is_protected_in_its_group(
    life: Life, scenario: Scenario, state: str, detach: bool
) -> None:
    """Somebody's own suspension stays; the kit's ends with the release."""
    make_fleet(scenario, low=0, high=9)
    scenario.client("autoscaling").suspend_processes(
        AutoScalingGroupName=GROUP, ScalingProcesses=["Terminate", "AZRebalance"]
    )
    members(scenario)[scenario.instance].lifecycle_state = state
    life.action = replace(life.action, detach=detach)
    before = guards(scenario)
    dry = life.dry()
    assert any(f"{scenario.instance} is {state} in Auto Scaling" in risk for risk in dry.risks)
    report = life.run()
    assert isinstance(report.result, Failed)
    assert any(f"{scenario.instance} is {state} in Auto Scaling" in risk for risk in report.risks)
    assert any("could not be protected from scale-in" in risk for risk in report.risks)
    assert guards(scenario)["suspended"] == ["AZRebalance", "ReplaceUnhealthy", "Terminate"]
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Done), reason_of(released.result)
    assert guards(scenario) == before


def test_a_member_that_came_into_service_leaves_and_comes_back(
    life: Life, scenario: Scenario
) -> None:
    make_fleet(scenario, low=0, high=9)
    members(scenario)[scenario.instance].lifecycle_state = "Pending"
    before = guards(scenario)
    assert isinstance(life.run().result, Failed)
    members(scenario)[scenario.instance].lifecycle_state = "InService"
    assert isinstance(life.run().result, Done)
    assert fleet(scenario)["state"] == "Standby"
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Done), reason_of(released.result)
    assert fleet(scenario)["state"] == "InService"
    assert guards(scenario) == before


def test_processes_that_may_not_be_suspended_are_told(
    life: Life, scenario: Scenario, faults: Faults
) -> None:
    make_fleet(scenario, low=0, high=9)
    members(scenario)[scenario.instance].lifecycle_state = "Pending"
    faults.deny("autoscaling", "SuspendProcesses")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert any("may still terminate its members" in risk for risk in report.risks)
    assert life.release() is None or guards(scenario)["suspended"] == []


def members(scenario: Scenario) -> dict[str, Any]:
    from moto.backends import get_backend

    backend: Any = get_backend("autoscaling")["123456789012"][scenario.region]
    return {s.instance.id: s for s in backend.autoscaling_groups[GROUP].instance_states}


def test_a_group_that_may_not_be_marked_is_told_as_a_risk(
    life: Life, scenario: Scenario, faults: Faults
) -> None:
    make_fleet(scenario, low=0, high=9)
    faults.deny("autoscaling", "CreateOrUpdateTags")
    report = life.run()
    assert fleet(scenario)["state"] == "Standby"
    assert any("could not be marked as quarantined" in risk for risk in report.risks)


@pytest.mark.parametrize(
    ("tag", "owner"),
    [("aws:ec2:fleet-id", "EC2 Fleet"), ("aws:ec2spot:fleet-request-id", "Spot Fleet")],
)
def test_a_fleet_that_may_terminate_it_is_told(
    life: Life, scenario: Scenario, tag: str, owner: str
) -> None:
    backend = ec2_backends[DEFAULT_ACCOUNT_ID][REGION]
    backend.tags.setdefault(scenario.instance, {})[tag] = "fleet-0abc"
    report = life.run()
    assert any(f"{owner} fleet-0abc launched the instance" in risk for risk in report.risks)
