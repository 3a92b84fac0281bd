"""Protection: termination, stop, shutdown behaviour, and volumes that outlive the instance."""

from __future__ import annotations

from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.protect import ATTRIBUTES, Protect
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.life import Life

PROTECTED = {
    "disableApiTermination": True,
    "disableApiStop": True,
    "instanceInitiatedShutdownBehavior": "stop",
    "/dev/sda1": False,
}


def protections(scenario: Scenario) -> dict[str, Any]:
    """The attributes, and per device whether the volume is deleted on termination."""
    ec2 = scenario.client("ec2")
    found: dict[str, Any] = {}
    for name, (field, _) in ATTRIBUTES.items():
        answer = ec2.describe_instance_attribute(InstanceId=scenario.instance, Attribute=name)
        found[name] = answer[field]["Value"]
    instance = ec2.describe_instances(InstanceIds=[scenario.instance])["Reservations"][0]
    for mapping in instance["Instances"][0]["BlockDeviceMappings"]:
        found[mapping["DeviceName"]] = mapping["Ebs"]["DeleteOnTermination"]
    return found


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    scenario.client("ec2").modify_instance_attribute(
        InstanceId=scenario.instance, InstanceInitiatedShutdownBehavior={"Value": "terminate"}
    )
    assert protections(scenario)["/dev/sda1"] is True
    return Life(Protect(), scenario, calls, lambda: protections(scenario))


def test_life(life: Life, scenario: Scenario) -> None:
    def done() -> None:
        assert protections(scenario) == PROTECTED

    life.whole(done)


def test_what_was_protected_stays_so_on_release(life: Life, scenario: Scenario) -> None:
    scenario.client("ec2").modify_instance_attribute(
        InstanceId=scenario.instance, DisableApiTermination={"Value": True}
    )
    life.run()
    life.release()
    assert protections(scenario)["disableApiTermination"] is True
    assert protections(scenario)["disableApiStop"] is False


def test_one_refusal_stops_no_other(life: Life, scenario: Scenario, faults: Faults) -> None:
    faults.fail(
        "ec2",
        "ModifyInstanceAttribute",
        "UnsupportedOperation",
        "no stop protection here",
        only=lambda call: "DisableApiStop" in call.params,
    )
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "disableApiStop" in str(reason_of(report.result))
    assert protections(scenario) == {**PROTECTED, "disableApiStop": False}


def test_a_spot_instance_keeps_what_it_can(life: Life, scenario: Scenario) -> None:
    from moto.backends import get_backend

    backend: Any = get_backend("ec2")["123456789012"][scenario.region]
    backend.get_instance(scenario.instance).lifecycle = "spot"
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert any("Spot" in risk for risk in report.risks)
    assert protections(scenario)["/dev/sda1"] is False
    assert protections(scenario)["disableApiTermination"] is False
    assert isinstance(life.run().result, AlreadyInPlace)


def test_an_attribute_that_can_t_be_read_costs_no_other(
    life: Life, scenario: Scenario, faults: Faults
) -> None:
    """It is protected all the same, but not called done; what it was is not known on release."""
    faults.deny(
        "ec2",
        "DescribeInstanceAttribute",
        only=lambda call: (
            call.params["Attribute"] == "disableApiStop" and "cordon/" in call.user_agent
        ),
    )
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "disableApiStop is not known" in reason_of(report.result)
    assert protections(scenario) == PROTECTED
    faults.clear()
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Skipped)
    assert released.result.incomplete
    assert "disableApiStop" in reason_of(released.result)
    assert protections(scenario)["disableApiTermination"] is False
