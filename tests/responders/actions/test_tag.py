"""The marks of quarantine: on instance, interfaces and volumes; former values back on release."""

from __future__ import annotations

from typing import Any

import pytest

from contract import TAG_CASE, TAG_ENVIRONMENT, TAG_STATUS
from lab.calls import Calls
from lab.faults import Faults
from lab.gate.call import Call
from responders.actions.tag import Tag
from responders.result import Done, Failed, Skipped, reason_of
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


def writes_environment(call: Call) -> bool:
    return any(tag["Key"] == TAG_ENVIRONMENT for tag in call.params["Tags"])


REFUSALS = [
    ("TagPolicyViolation", "The tag policy does not allow the value of 'Environment'."),
    ("TagLimitExceeded", "The maximum number of Tags for a resource has been reached."),
    ("UnauthorizedOperation", "You are not authorized to perform this operation."),
]


@pytest.mark.parametrize(("code", "message"), REFUSALS)
def test_a_refused_environment_costs_no_other_tag(
    life: Life, scenario: Scenario, faults: Faults, code: str, message: str
) -> None:
    faults.fail("ec2", "CreateTags", code, message, only=writes_environment)
    report = life.run()
    assert isinstance(report.result, Failed)
    assert f"without the tags {TAG_ENVIRONMENT}" in reason_of(report.result)
    assert message in reason_of(report.result)
    for resource in marked(scenario):
        found = scenario.tags(resource)
        assert (found[TAG_CASE], found[TAG_STATUS]) == (life.case, "quarantined")
    assert scenario.tags(scenario.instance)[TAG_ENVIRONMENT] == "Production"
    released = life.release()  # `Environment` is as it was, so it is not written again
    assert released is not None
    assert isinstance(released.result, Done), reason_of(released.result)
    assert scenario.tags(scenario.instance)[TAG_STATUS] == "released"


@pytest.mark.parametrize(("code", "message"), REFUSALS)
def test_a_former_environment_that_is_refused_keeps_no_lock(
    life: Life, scenario: Scenario, faults: Faults, code: str, message: str
) -> None:
    life.run()
    faults.fail("ec2", "CreateTags", code, message, only=writes_environment)
    for _ in range(2):
        released = life.release()
        assert released is not None
        assert isinstance(released.result, Skipped)
        assert released.result.incomplete
        assert "'Production' was refused" in reason_of(released.result)
        assert {scenario.tags(r)[TAG_STATUS] for r in marked(scenario)} == {"released"}
    faults.clear()
    life.release()
    assert scenario.tags(scenario.instance)[TAG_ENVIRONMENT] == "Production"


def test_a_volume_that_was_detached_since_is_released_too(life: Life, scenario: Scenario) -> None:
    life.run()
    volume = next(iter(devices(scenario)))
    scenario.client("ec2").detach_volume(VolumeId=volume, InstanceId=scenario.instance)
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Done), reason_of(released.result)
    assert scenario.tags(volume)[TAG_STATUS] == "released"


def test_a_terminated_instance_keeps_no_lock_on_its_volumes(life: Life, scenario: Scenario) -> None:
    life.run()
    volume = next(iter(devices(scenario)))
    scenario.client("ec2").modify_instance_attribute(
        InstanceId=scenario.instance,
        BlockDeviceMappings=[
            {"DeviceName": devices(scenario)[volume], "Ebs": {"DeleteOnTermination": False}}
        ],
    )
    scenario.client("ec2").terminate_instances(InstanceIds=[scenario.instance])
    life.release()
    assert scenario.tags(volume)[TAG_STATUS] == "released"
