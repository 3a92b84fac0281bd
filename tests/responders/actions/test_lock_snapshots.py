"""Evidence snapshots are locked at once, pending or not, and never less than they were."""

from __future__ import annotations

import dataclasses

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.lock_snapshots import LockCopies, LockSnapshots
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import add_volumes, slow, snapshots, stage, take
from tests.responders.life import Life


def locks(scenario: Scenario) -> dict[str, tuple[str, int]]:
    answer = scenario.client("ec2").describe_locked_snapshots()
    return {s["SnapshotId"]: (s["LockState"], s["LockDuration"]) for s in answer["Snapshots"]}


class LifeWithSnapshots(Life):
    """Each chapter's case has its snapshots already."""

    def _next_case(self) -> None:
        super()._next_case()
        taken(self)


def taken(life: Life) -> None:
    take(life.world, life.case)
    life.calls.clear()


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    add_volumes(scenario, 1)
    made = LifeWithSnapshots(
        LockSnapshots(), scenario, calls, lambda: locks(scenario), reversible=False
    )
    taken(made)
    return made


def test_life(scenario: Scenario, life: Life) -> None:
    def done() -> None:
        mine = {s["SnapshotId"] for s in snapshots(scenario, life.case)}
        assert len(mine) == 2
        assert {locks(scenario)[i] for i in mine} == {("governance", 365)}

    life.whole(done)


def test_a_pending_snapshot_is_locked(scenario: Scenario, life: Life, faults: Faults) -> None:
    for snapshot in snapshots(scenario):
        stage(scenario, snapshot["SnapshotId"], "pending")
    assert isinstance(life.run().result, Done)
    assert len(locks(scenario)) == 2


def test_compliance_and_its_days_are_as_asked(scenario: Scenario, life: Life) -> None:
    life.run()
    life.action = dataclasses.replace(life.action, mode="compliance", days=400)
    assert isinstance(life.run().result, Done)
    assert set(locks(scenario).values()) == {("compliance", 400)}


def test_a_stronger_lock_is_never_made_weaker(scenario: Scenario, life: Life, calls: Calls) -> None:
    ec2 = scenario.client("ec2")
    for snapshot in snapshots(scenario):
        ec2.lock_snapshot(
            SnapshotId=snapshot["SnapshotId"], LockMode="compliance", LockDuration=100
        )
    assert isinstance(life.run().result, Done)
    assert set(locks(scenario).values()) == {("compliance", 365)}
    calls.clear()
    assert isinstance(life.run().result, AlreadyInPlace)
    assert calls.mutating == []


def test_denied_for_one_locks_the_other(scenario: Scenario, life: Life, faults: Faults) -> None:
    faults.deny("ec2", "LockSnapshot", times=1)
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "UnauthorizedOperation" in reason_of(report.result)
    assert len(locks(scenario)) == 1


def test_without_snapshots_there_is_nothing_to_lock(scenario: Scenario, calls: Calls) -> None:
    report = Life(LockSnapshots(), scenario, calls, dict).run()
    assert isinstance(report.result, Skipped)


def test_deletion_is_refused_afterwards(scenario: Scenario, life: Life) -> None:
    life.run()
    ec2 = scenario.client("ec2")
    with pytest.raises(ec2.exceptions.ClientError, match="SnapshotLocked"):
        ec2.delete_snapshot(SnapshotId=snapshots(scenario)[0]["SnapshotId"])


def test_copies_are_locked_by_a_step_of_their_own(
    scenario: Scenario, life: Life, calls: Calls, faults: Faults
) -> None:
    original = snapshots(scenario)[0]
    slow(faults, scenario, "CopySnapshot")
    copy = scenario.client("ec2").copy_snapshot(
        SourceRegion=scenario.region,
        SourceSnapshotId=original["SnapshotId"],
        TagSpecifications=[
            {
                "ResourceType": "snapshot",
                "Tags": [
                    *original["Tags"],
                    {"Key": "cordon:copy-of", "Value": original["SnapshotId"]},
                ],
            }
        ],
    )["SnapshotId"]
    report = Life(LockCopies(), scenario, calls, dict).run()
    assert isinstance(report.result, Done)
    assert locks(scenario) == {copy: ("governance", 365)}
