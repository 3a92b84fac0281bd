"""The metadata service: off, the other options untouched, and as it was on release."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.calls import Calls
from responders.actions.disable_metadata import DisableMetadata
from responders.result import AlreadyInPlace, Skipped
from tests.responders.conftest import Scenario
from tests.responders.life import Life


def options(scenario: Scenario) -> dict[str, Any]:
    answer = scenario.client("ec2").describe_instances(InstanceIds=[scenario.instance])
    found: dict[str, Any] = answer["Reservations"][0]["Instances"][0]["MetadataOptions"]
    return {name: found[name] for name in ("HttpEndpoint", "HttpTokens", "HttpPutResponseHopLimit")}


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    scenario.client("ec2").modify_instance_metadata_options(
        InstanceId=scenario.instance, HttpTokens="required", HttpPutResponseHopLimit=2
    )
    return Life(DisableMetadata(), scenario, calls, lambda: options(scenario))


def test_life(life: Life, scenario: Scenario) -> None:
    wanted = {"HttpEndpoint": "disabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 2}

    def done() -> None:
        assert options(scenario) == wanted

    life.whole(done)


def test_off_before_is_off_after(life: Life, scenario: Scenario) -> None:
    scenario.client("ec2").modify_instance_metadata_options(
        InstanceId=scenario.instance, HttpEndpoint="disabled"
    )
    assert isinstance(life.run().result, AlreadyInPlace)
    assert life.release() is None


def test_it_stays_on_for_the_channel(life: Life, scenario: Scenario) -> None:
    life.action = replace(life.action, keeps_agent=True)
    before = options(scenario)
    assert isinstance(life.run().result, Skipped)
    assert options(scenario) == before
