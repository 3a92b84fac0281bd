"""Hibernation: only where it was configured, and only believed when EC2 says that it happened."""

from __future__ import annotations

import pytest
from moto.ec2.models import ec2_backends

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.hibernate import REASON, Hibernate
from responders.actions.protect import Protect
from responders.graph import Step
from responders.result import Done, Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import ACCOUNT
from tests.responders.life import Life


def instance(scenario: Scenario) -> dict:
    answer = scenario.client("ec2").describe_instances(InstanceIds=[scenario.instance])
    return answer["Reservations"][0]["Instances"][0]


def configure(scenario: Scenario) -> None:
    """As if it had been launched so."""
    found = ec2_backends[ACCOUNT][scenario.region].get_instance(scenario.instance)
    found.hibernation_options = {"Configured": True}


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(Hibernate(), scenario, calls, lambda: instance(scenario)["State"]["Name"])


def test_life(scenario: Scenario, life: Life) -> None:
    configure(scenario)

    def done() -> None:
        assert instance(scenario)["State"]["Name"] == "stopped"
        assert instance(scenario)["StateReason"]["Code"] == REASON

    life.whole(done)


def test_it_asks_for_hibernation(scenario: Scenario, life: Life, calls: Calls) -> None:
    configure(scenario)
    assert life.run().result == Done()
    (call,) = calls.of("ec2", "StopInstances")
    assert call.params["Hibernate"] is True


def test_not_configured_is_said_and_nothing_stopped(
    scenario: Scenario, life: Life, calls: Calls
) -> None:
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert "not launched with hibernation" in result.reason
    assert calls.mutating == []


def test_our_own_stop_protection_is_lifted_and_put_back(scenario: Scenario, life: Life) -> None:
    configure(scenario)
    report = life.respond(Step(Protect()), Step(Hibernate(), after={Protect: None}))[1]
    assert isinstance(report.result, Done), reason_of(report.result)
    protected = scenario.client("ec2").describe_instance_attribute(
        InstanceId=scenario.instance, Attribute="disableApiStop"
    )
    assert protected["DisableApiStop"]["Value"] is True


def test_stopped_before_has_no_memory(scenario: Scenario, life: Life) -> None:
    configure(scenario)
    scenario.client("ec2").stop_instances(InstanceIds=[scenario.instance])
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert "its memory is gone" in result.reason


def test_a_stop_that_did_not_hibernate_is_a_failure(
    scenario: Scenario, life: Life, faults: Faults
) -> None:
    configure(scenario)

    def shut_down(_call: object) -> None:
        found = ec2_backends[ACCOUNT][scenario.region].get_instance(scenario.instance)
        found.state_reason.code = "Client.UserInitiatedShutdown"

    faults.before("ec2", "DescribeInstances", shut_down)
    result = life.run().result
    assert isinstance(result, Failed)
    assert "without hibernating" in reason_of(result)
