"""`cordon snapshots` and `cordon case show`: what a response began is gone on with, and told."""

from __future__ import annotations

import pytest

from contract import TAG_COPY
from lab.calls import Calls
from lab.faults import Faults
from responders.actions import copy_snapshots
from tests.responders.conftest import REGION, Answer, Cordon, Scenario
from tests.responders.evidence import (
    FORENSIC,
    add_volumes,
    prepare_key,
    slow,
    snapshots,
    stage,
    tags_of,
)

CASE = ("--case", "IR-7", "--json")


@pytest.fixture
def begun(scenario: Scenario, cordon: Cordon, faults: Faults) -> Answer:
    """A response whose snapshots are not complete yet."""
    prepare_key(scenario)
    add_volumes(scenario, 1)
    slow(faults, scenario, "CreateSnapshots", "CopySnapshot")
    return cordon("instance", scenario.instance, "--region", REGION, "--dwell", "0", *CASE)


def finish(scenario: Scenario) -> None:
    for snapshot in snapshots(scenario):
        stage(scenario, snapshot["SnapshotId"], "completed")


def test_the_response_ends_and_says_what_is_still_to_come(
    scenario: Scenario, begun: Answer
) -> None:
    assert begun.code == 3
    assert begun.document["outcome"] == "contained"
    assert begun.step("snapshot")["status"] == "done"
    assert begun.step("lock-snapshots")["status"] == "done"
    copying = begun.step("copy-snapshots")
    assert copying["status"] == "skipped"
    assert "40 %" in copying["reason"]
    assert "cordon snapshots --case IR-7" in copying["reason"]
    assert begun.document["evidence"]["complete"] is False


def test_goes_on_until_all_is_safe(scenario: Scenario, begun: Answer, cordon: Cordon) -> None:
    again = cordon("snapshots", *CASE)
    assert (again.code, again.document["outcome"]) == (3, "not-preserved")

    finish(scenario)
    copying = cordon("snapshots", *CASE)
    assert copying.code == 3
    assert len([s for s in snapshots(scenario) if TAG_COPY in tags_of(s)]) == 2

    finish(scenario)
    done = cordon("snapshots", *CASE)
    assert (done.code, done.document["outcome"]) == (0, "preserved"), done.out
    ec2 = scenario.client("ec2")
    locked = {s["SnapshotId"] for s in ec2.describe_locked_snapshots()["Snapshots"]}
    for snapshot in snapshots(scenario):
        assert snapshot["SnapshotId"] in locked
        shared = ec2.describe_snapshot_attribute(
            SnapshotId=snapshot["SnapshotId"], Attribute="createVolumePermission"
        )["CreateVolumePermissions"]
        expected = [{"UserId": FORENSIC}] if TAG_COPY in tags_of(snapshot) else []
        assert shared == expected

    assert cordon("snapshots", *CASE).document["outcome"] == "preserved"
    released = cordon("release", scenario.instance, *CASE)
    assert (released.code, released.document["outcome"]) == (0, "released"), released.out
    assert cordon("case", "verify", "--case", "IR-7").code == 0


def test_waits_when_asked(
    scenario: Scenario,
    begun: Answer,
    cordon: Cordon,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copy_snapshots, "EVERY", 0.01)
    finish(scenario)
    looks = 0

    def progress(_call: object) -> None:
        nonlocal looks
        looks += 1
        if looks == 20:
            finish(scenario)

    faults.before("ec2", "DescribeSnapshots", progress)
    done = cordon("snapshots", "--wait", *CASE)
    assert (done.code, done.document["outcome"]) == (0, "preserved"), done.out


def test_a_dry_run_changes_nothing(
    scenario: Scenario, begun: Answer, cordon: Cordon, calls: Calls
) -> None:
    finish(scenario)
    calls.clear()
    planned = cordon("snapshots", "--dry-run", *CASE)
    assert (planned.code, planned.document["outcome"]) == (0, "planned")
    assert calls.mutating == []


def test_a_failed_copy_is_said(
    scenario: Scenario, begun: Answer, cordon: Cordon, faults: Faults
) -> None:
    finish(scenario)
    faults.clear()
    slow(faults, scenario, "CopySnapshot", status="error")
    answer = cordon("snapshots", *CASE)
    assert answer.code == 3
    (run,) = answer.document["runs"]
    step = next(s for s in run["steps"] if s["name"] == "copy-snapshots")
    assert step["status"] == "failed"


def test_a_case_without_a_record_is_said(scenario: Scenario, cordon: Cordon) -> None:
    answer = cordon("snapshots", "--case", "IR-8", "--json")
    assert answer.code == 2
    assert "no record of an instance" in answer.document["error"]


def test_case_show_tells_how_far_they_are(
    scenario: Scenario, begun: Answer, cordon: Cordon
) -> None:
    stage(scenario, snapshots(scenario)[0]["SnapshotId"], "pending", "73%")
    shown = cordon("case", "show", *CASE).document
    assert sorted(s["percent"] for s in shown["snapshots"]) == [40, 73]
    assert {s["locked"] for s in shown["snapshots"]} == {"governance, 365 days"}
    assert shown["snapshots_error"] is None
    text = cordon("case", "show", "--case", "IR-7").out
    assert "73 %" in text
    assert scenario.instance in text


def test_case_show_works_without_aws(
    scenario: Scenario, begun: Answer, cordon: Cordon, faults: Faults, calls: Calls
) -> None:
    faults.unreachable()
    answer = cordon("case", "show", *CASE)
    assert answer.code == 0
    assert answer.document["snapshots"] == []
    assert answer.document["snapshots_error"]
    faults.clear()
    calls.clear()
    assert cordon("case", "show", "--local", *CASE).document["snapshots"] == []
    assert list(calls) == []
