"""Copies under the kit's key: begun when they can, twenty at a time, gone on with later."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from contract import TAG_COPY
from lab.calls import Calls
from lab.faults import Faults
from lab.gate.call import Call
from responders.actions import copy_snapshots
from responders.actions.copy_snapshots import CopySnapshots
from responders.result import AlreadyInPlace, Done, Failed, Planned, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import (
    add_volumes,
    prepare,
    prepare_key,
    slow,
    snapshots,
    stage,
    tags_of,
    take,
)
from tests.responders.life import Life


def copies(scenario: Scenario, case: str = "") -> list[dict[str, Any]]:
    return [s for s in snapshots(scenario, case) if TAG_COPY in tags_of(s)]


def originals(scenario: Scenario, case: str = "") -> list[dict[str, Any]]:
    return [s for s in snapshots(scenario, case) if TAG_COPY not in tags_of(s)]


class LifeWithSnapshots(Life):
    """Each chapter's case has its snapshots already."""

    def _next_case(self) -> None:
        super()._next_case()
        taken(self)


def taken(life: Life) -> None:
    take(life.world, life.case)
    life.calls.clear()


@pytest.fixture
def life(scenario: Scenario, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> Life:
    monkeypatch.setattr(copy_snapshots, "EVERY", 0.01)
    scenario.extra["key"] = prepare_key(scenario)
    add_volumes(scenario, 1)
    made = LifeWithSnapshots(
        CopySnapshots(), scenario, calls, lambda: snapshots(scenario), reversible=False
    )
    taken(made)
    return made


def test_life(scenario: Scenario, life: Life) -> None:
    def done() -> None:
        made = copies(scenario, life.case)
        sources = {s["SnapshotId"]: s for s in originals(scenario, life.case)}
        assert {tags_of(s)[TAG_COPY] for s in made} == set(sources)
        assert {s["KmsKeyId"] for s in made} == {scenario.extra["key"]}
        for copy in made:
            source = sources[tags_of(copy)[TAG_COPY]]
            assert tags_of(source).items() <= tags_of(copy).items()
            assert copy["Description"] == source["Description"]

    life.whole(done)


def test_tags_of_the_volume_are_carried_over(scenario: Scenario, life: Life) -> None:
    original = originals(scenario)[0]["SnapshotId"]
    scenario.client("ec2").create_tags(Resources=[original], Tags=[{"Key": "Team", "Value": "web"}])
    life.run()
    (copy,) = (s for s in copies(scenario) if tags_of(s)[TAG_COPY] == original)
    assert tags_of(copy)["Team"] == "web"


def test_pending_is_said_and_gone_on_with(scenario: Scenario, life: Life, faults: Faults) -> None:
    ready, waiting = (s["SnapshotId"] for s in originals(scenario))
    stage(scenario, waiting, "pending")
    slow(faults, scenario, "CopySnapshot")

    report = life.run()
    assert isinstance(report.result, Skipped)
    assert report.result.incomplete
    assert f"{waiting} is pending, 40 %" in report.result.reason
    assert "cordon snapshots --case IR-7" in report.result.reason
    (first,) = copies(scenario)
    assert tags_of(first)[TAG_COPY] == ready

    life.mutating()
    assert isinstance(life.run().result, Skipped)
    assert life.mutating() == []

    stage(scenario, waiting, "completed")
    stage(scenario, first["SnapshotId"], "completed")
    assert isinstance(life.run().result, Skipped)
    second = next(s for s in copies(scenario) if s != first and s["State"] == "pending")
    stage(scenario, second["SnapshotId"], "completed")
    assert isinstance(life.run().result, AlreadyInPlace)
    assert len(copies(scenario)) == 2


def test_a_dry_run_says_how_far_it_is(scenario: Scenario, life: Life) -> None:
    stage(scenario, originals(scenario)[0]["SnapshotId"], "pending", "73%")
    report = life.dry()
    assert isinstance(report.result, Planned)
    assert any("73 %" in line for line in report.result.lacks)


def test_waiting_watches_until_all_is_complete(
    scenario: Scenario, life: Life, faults: Faults
) -> None:
    waiting = originals(scenario)[0]["SnapshotId"]
    stage(scenario, waiting, "pending")
    looks = 0

    def progress(_call: object) -> None:
        nonlocal looks
        looks += 1
        if looks == 12:
            stage(scenario, waiting, "completed")
        if looks == 24:
            for copy in copies(scenario):
                stage(scenario, copy["SnapshotId"], "completed")

    slow(faults, scenario, "CopySnapshot")
    faults.before(
        "ec2", "DescribeSnapshots", progress, only=lambda call: "tag-key" not in str(call)
    )
    life.action = dataclasses.replace(life.action, waits=True)
    assert isinstance(life.run().result, Done)
    assert len(copies(scenario)) == 2
    assert {s["State"] for s in copies(scenario)} == {"completed"}


def test_twenty_at_a_time(
    scenario: Scenario, life: Life, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_snapshots, "AT_ONCE", 2)
    add_volumes(scenario, 4)
    life.number += 1
    taken(life)
    slow(faults, scenario, "CopySnapshot")
    assert isinstance(life.run().result, Skipped)
    assert len(copies(scenario)) == 2
    assert isinstance(life.run().result, Skipped)
    assert len(copies(scenario)) == 2
    for done in (4, 6):
        for copy in copies(scenario):
            stage(scenario, copy["SnapshotId"], "completed")
        life.run()
        assert len(copies(scenario, life.case)) == min(done, len(originals(scenario, life.case)))


def test_a_full_region_leaves_the_rest_for_later(
    scenario: Scenario, life: Life, faults: Faults
) -> None:
    faults.fail(
        "ec2", "CopySnapshot", "ResourceLimitExceeded", "Too many snapshot copies in progress."
    )
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert report.result.incomplete
    assert any("as many copies" in note for note in report.notes)
    faults.clear()
    assert isinstance(life.run().result, Done)


def test_a_failed_copy_is_a_failure_and_begun_anew(
    scenario: Scenario, life: Life, faults: Faults
) -> None:
    slow(faults, scenario, "CopySnapshot", status="error")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "failed" in reason_of(report.result)
    faults.clear()
    report = life.run()
    assert isinstance(report.result, Done)
    assert any("failed" in note for note in report.notes)
    assert sorted(s["State"] for s in copies(scenario)) == ["completed"] * 2 + ["error"] * 2


def test_a_failed_original_is_a_failure(scenario: Scenario, life: Life) -> None:
    lost = originals(scenario)[0]["SnapshotId"]
    stage(scenario, lost, "error")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert lost in reason_of(report.result)
    assert len(copies(scenario)) == 1


def test_what_is_under_the_key_already_is_not_copied(
    scenario: Scenario, life: Life, calls: Calls
) -> None:
    ec2 = scenario.client("ec2")
    for volume in {s["VolumeId"] for s in originals(scenario)}:
        ec2.detach_volume(VolumeId=volume, InstanceId=scenario.instance)
    add_volumes(scenario, 1, Encrypted=True, KmsKeyId=scenario.extra["key"])
    life.number += 1
    taken(life)
    calls.clear()
    assert isinstance(life.run().result, AlreadyInPlace)
    assert calls.mutating == []


def test_lost_answers_make_no_second_copy(scenario: Scenario, life: Life, faults: Faults) -> None:
    faults.lose("ec2", "CopySnapshot")
    assert isinstance(life.run().result, Done)
    faults.clear()
    assert isinstance(life.run().result, Done | AlreadyInPlace)
    assert len(copies(scenario)) == 2


def test_denied_is_a_failure(life: Life, faults: Faults) -> None:
    faults.deny("ec2", "CopySnapshot")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "UnauthorizedOperation" in reason_of(report.result)


def test_without_a_key_it_is_incomplete(scenario: Scenario, life: Life) -> None:
    prepare(scenario, key_arn="")
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert report.result.incomplete
    assert copies(scenario) == []


def test_not_asked_for_is_skipped(scenario: Scenario, life: Life, calls: Calls) -> None:
    life.action = dataclasses.replace(life.action, is_wanted=False)
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert not report.result.incomplete
    assert copies(scenario) == []


def test_refused_tags_cost_no_copy(life: Life, scenario: Scenario, faults: Faults) -> None:
    original = originals(scenario, "IR-7")[0]["SnapshotId"]
    scenario.client("ec2").create_tags(
        Resources=[original], Tags=[{"Key": "Environment", "Value": "prod"}]
    )

    def carries_others(call: Call) -> bool:
        (spec,) = call.params["TagSpecifications"]
        return any(not tag["Key"].startswith("cordon:") for tag in spec["Tags"])

    faults.fail("ec2", "CopySnapshot", "TagPolicyViolation", only=carries_others)
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert any("Environment" in note and original in note for note in report.notes)


def test_one_refused_copy_costs_no_other(life: Life, scenario: Scenario, faults: Faults) -> None:
    bad, *good = [s["SnapshotId"] for s in originals(scenario, "IR-7")]
    faults.fail(
        "ec2",
        "CopySnapshot",
        "IncorrectState",
        only=lambda call: call.params["SourceSnapshotId"] == bad,
    )
    report = life.run()
    assert isinstance(report.result, Failed)
    assert bad in reason_of(report.result)
    assert {tags_of(s)[TAG_COPY] for s in copies(scenario, "IR-7")} == set(good)
