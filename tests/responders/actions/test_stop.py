"""Stopping: on request, from running, never what was protected; losses named before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.protect import Protect
from responders.actions.stop import Stop
from responders.graph import Step
from responders.result import AlreadyInPlace, Done, Failed, Planned, Skipped, reason_of
from responders.runner import StepReport
from tests.responders.conftest import Scenario
from tests.responders.life import Life


def state(scenario: Scenario) -> tuple[str, bool]:
    """The instance's state, and whether it is protected from being stopped."""
    ec2 = scenario.client("ec2")
    answer = ec2.describe_instances(InstanceIds=[scenario.instance])
    protected = ec2.describe_instance_attribute(
        InstanceId=scenario.instance, Attribute="disableApiStop"
    )
    name = answer["Reservations"][0]["Instances"][0]["State"]["Name"]
    return name, protected["DisableApiStop"]["Value"]


def protect(scenario: Scenario) -> None:
    scenario.client("ec2").modify_instance_attribute(
        InstanceId=scenario.instance, DisableApiStop={"Value": True}
    )


def protected_then_stopped(life: Life) -> StepReport:
    """The two steps as in the playbook."""
    return life.respond(Step(Protect()), Step(life.action, after={Protect: None}))[1]


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(Stop(), scenario, calls, lambda: state(scenario))


def test_life(life: Life, scenario: Scenario) -> None:
    def done() -> None:
        assert state(scenario) == ("stopped", False)

    life.whole(done)


def test_our_own_protection_is_lifted_and_put_back(
    life: Life, scenario: Scenario, calls: Calls
) -> None:
    calls.clear()
    report = protected_then_stopped(life)
    assert isinstance(report.result, Done), reason_of(report.result)
    assert state(scenario) == ("stopped", True)
    switched = [
        call.params["DisableApiStop"]["Value"]
        for call in calls.of("ec2", "ModifyInstanceAttribute")
        if "DisableApiStop" in call.params
    ]
    assert switched == [True, False, True]
    life.mutating()
    assert isinstance(protected_then_stopped(life).result, AlreadyInPlace)
    assert life.mutating() == []


def test_what_was_protected_before_is_left_running(life: Life, scenario: Scenario) -> None:
    protect(scenario)
    for _ in range(2):
        report = protected_then_stopped(life)
        assert isinstance(report.result, Skipped)
        assert report.result.incomplete
        assert "--stop-protected" in report.result.reason
    assert state(scenario) == ("running", True)


def test_unless_it_is_asked_for(life: Life, scenario: Scenario) -> None:
    protect(scenario)
    life.action = replace(life.action, even_protected=True)
    assert isinstance(protected_then_stopped(life).result, Done)
    assert state(scenario) == ("stopped", True)


def test_protection_comes_back_when_the_stop_fails(
    life: Life, scenario: Scenario, faults: Faults
) -> None:
    faults.fail("ec2", "StopInstances", "UnsupportedOperation", "a one-time Spot request")
    report = protected_then_stopped(life)
    assert isinstance(report.result, Failed)
    assert "one-time Spot" in str(reason_of(report.result))
    assert state(scenario) == ("running", True)


def test_only_from_running(life: Life, scenario: Scenario) -> None:
    instance(scenario)._state.name = "pending"
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert report.result.incomplete
    assert "pending" in report.result.reason


def test_stopped_before_is_not_started_on_release(life: Life, scenario: Scenario) -> None:
    scenario.client("ec2").stop_instances(InstanceIds=[scenario.instance])
    assert isinstance(life.run().result, AlreadyInPlace)
    assert life.release() is None
    assert state(scenario)[0] == "stopped"


def test_instance_store_volumes_are_named_before(life: Life, scenario: Scenario) -> None:
    instance(scenario).instance_type = "m5d.large"
    told: list[StepReport] = []
    life.respond(Step(life.action), listener=told.append)
    assert isinstance(told[0].result, Planned)
    assert "1 x 75 GB ssd" in str(reason_of(told[0].result))
    assert isinstance(told[1].result, Done)


def test_what_is_lost_may_not_be_known(life: Life, scenario: Scenario, faults: Faults) -> None:
    faults.deny("ec2", "DescribeInstanceTypes")
    assert "instance-store volumes if it has any" in str(reason_of(life.dry().result))


def test_not_without_its_evidence(life: Life, scenario: Scenario, calls: Calls) -> None:
    """The playbook says so by `needs`; a step that failed is enough to leave it running."""
    calls.clear()
    gone = Step(Protect())
    gone.action.observe = _fail  # type: ignore[method-assign]
    _, report = life.respond(gone, Step(life.action, needs=(Protect,)))
    assert report.result == Skipped("needs protect, which did not succeed", incomplete=True)
    assert calls.of("ec2", "StopInstances") == []


def _fail(incident: Any) -> Any:
    raise RuntimeError("no evidence")


def instance(scenario: Scenario) -> Any:
    from moto.backends import get_backend

    backend: Any = get_backend("ec2")["123456789012"][scenario.region]
    return backend.get_instance(scenario.instance)
