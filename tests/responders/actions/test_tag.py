"""The marks of quarantine: on instance, interfaces and volumes; former values back on release."""

from __future__ import annotations

from typing import Any

import pytest

from contract import TAG_CASE, TAG_ENVIRONMENT, TAG_STATUS
from lab.calls import Calls
from responders.actions.tag import Tag
from responders.result import Done, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import devices
from tests.responders.life import Life

OURS = (TAG_CASE, TAG_STATUS)


def marked(scenario: Scenario) -> list[str]:
    """What carries the marks: the instance, its interfaces and its volumes."""
    return [scenario.instance, *scenario.enis, *devices(scenario)]


def tags(scenario: Scenario) -> dict[str, Any]:
    """The owner's own tags, and whether a quarantine is in force."""
    found = {}
    for resource in marked(scenario):
        now = scenario.tags(resource)
        held = now.get(TAG_STATUS) == "quarantined"
        found[resource] = ({k: v for k, v in now.items() if k not in OURS}, held)
    return found


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(Tag(), scenario, calls, lambda: tags(scenario))


def test_life(life: Life, scenario: Scenario) -> None:
    def done() -> None:
        for resource in marked(scenario):
            found = scenario.tags(resource)
            assert (found[TAG_CASE], found[TAG_STATUS]) == (life.case, "quarantined")
        assert scenario.tags(scenario.instance)[TAG_ENVIRONMENT] == f"Quarantine:{life.case}"

    def outsider() -> str:
        scenario.client("ec2").create_tags(
            Resources=[scenario.instance], Tags=[{"Key": TAG_ENVIRONMENT, "Value": "Other"}]
        )
        return scenario.instance

    life.whole(done, drift=outsider)


def test_no_environment_before_none_after(life: Life, scenario: Scenario) -> None:
    scenario.client("ec2").delete_tags(
        Resources=[scenario.instance], Tags=[{"Key": TAG_ENVIRONMENT}]
    )
    life.run()
    assert TAG_ENVIRONMENT in scenario.tags(scenario.instance)
    life.release()
    found = scenario.tags(scenario.instance)
    assert TAG_ENVIRONMENT not in found
    assert found[TAG_STATUS] == "released"


def test_what_another_case_holds_is_that_ones_again(life: Life, scenario: Scenario) -> None:
    before = scenario.tags(scenario.instance)
    life.run()
    theirs = {resource: scenario.tags(resource) for resource in marked(scenario)}
    life.number += 1
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert any("under case IR-7 before" in note for note in report.notes)
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Done), reason_of(released.result)
    assert {resource: scenario.tags(resource) for resource in marked(scenario)} == theirs
    life.number -= 1
    assert not isinstance(getattr(life.release(), "result", None), Skipped)
    assert scenario.tags(scenario.instance)[TAG_ENVIRONMENT] == before[TAG_ENVIRONMENT]
