"""Shared with the forensic account: complete, under the kit's key, and with nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from contract import TAG_COPY
from lab.calls import Calls
from lab.faults import Faults
from responders.actions.copy_snapshots import CopySnapshots
from responders.actions.share_snapshots import ShareSnapshots
from responders.actions.snapshot import TakeSnapshots
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import (
    ACCOUNT,
    FORENSIC,
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


def sharing(scenario: Scenario) -> dict[str, list[dict[str, Any]]]:
    """Snapshot to those that may use it; snapshots that nobody may are left out."""
    ec2 = scenario.client("ec2")
    found = {
        s["SnapshotId"]: ec2.describe_snapshot_attribute(
            SnapshotId=s["SnapshotId"], Attribute="createVolumePermission"
        )["CreateVolumePermissions"]
        for s in snapshots(scenario)
    }
    return {snapshot: given for snapshot, given in found.items() if given}


def copies(scenario: Scenario, case: str = "") -> set[str]:
    return {s["SnapshotId"] for s in snapshots(scenario, case) if TAG_COPY in tags_of(s)}


class LifeWithCopies(Life):
    """Each chapter's case has its snapshots and their copies already."""

    def _next_case(self) -> None:
        super()._next_case()
        copied(self)


def copied(life: Life) -> None:
    take(life.world, life.case, copy=True)
    life.calls.clear()


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    prepare_key(scenario)
    add_volumes(scenario, 1)
    made = LifeWithCopies(
        ShareSnapshots(), scenario, calls, lambda: sharing(scenario), reversible=False
    )
    copied(made)
    return made


def test_life(scenario: Scenario, life: Life) -> None:
    def done() -> None:
        mine = copies(scenario, life.case)
        assert len(mine) == 2
        assert {s: g for s, g in sharing(scenario).items() if s in mine} == {
            s: [{"UserId": FORENSIC}] for s in mine
        }

    life.whole(done)


def test_the_forensic_account_sees_them(
    scenario: Scenario, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.run()
    monkeypatch.setenv("MOTO_ACCOUNT_ID", FORENSIC)
    answer = scenario.client("ec2").describe_snapshots(RestorableByUserIds=["self"])
    seen = {s["SnapshotId"] for s in answer["Snapshots"] if s["OwnerId"] == ACCOUNT}
    monkeypatch.delenv("MOTO_ACCOUNT_ID")
    assert copies(scenario) <= seen


def test_what_is_under_the_aws_managed_key_is_shared_by_its_copy(
    scenario: Scenario, life: Life, calls: Calls
) -> None:
    (volume,) = add_volumes(scenario, 1, Encrypted=True)
    life.number += 1
    for action in (TakeSnapshots(), CopySnapshots()):
        done = Life(action, scenario, calls, dict, number=life.number).run()
        assert isinstance(done.result, Done), reason_of(done.result)
    assert isinstance(life.run().result, Done)
    (original,) = (
        s
        for s in snapshots(scenario, life.case)
        if s["VolumeId"] == volume and TAG_COPY not in tags_of(s)
    )
    shared = set(sharing(scenario))
    assert original["Encrypted"]
    assert original["SnapshotId"] not in shared
    assert copies(scenario, life.case) <= shared


def test_what_is_complete_is_shared_and_the_rest_is_said(
    scenario: Scenario, life: Life, faults: Faults
) -> None:
    waiting = sorted(copies(scenario))[0]
    stage(scenario, waiting, "pending")
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert report.result.incomplete
    assert set(sharing(scenario)) == copies(scenario) - {waiting}
    stage(scenario, waiting, "completed")
    assert isinstance(life.run().result, Done)
    assert set(sharing(scenario)) == copies(scenario)
    assert isinstance(life.run().result, AlreadyInPlace)


def test_without_copies_nothing_is_shared(scenario: Scenario, life: Life, faults: Faults) -> None:
    slow(faults, scenario, "CopySnapshot")
    life.number += 1
    copied(life)
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert report.result.incomplete
    assert sharing(scenario) == {}


@pytest.mark.parametrize("account", ["", ACCOUNT])
def test_nobody_to_share_with(scenario: Scenario, life: Life, account: str) -> None:
    prepare(scenario, forensic_account=account)
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert not report.result.incomplete
    assert sharing(scenario) == {}


def test_one_refusal_stops_no_other(scenario: Scenario, life: Life, faults: Faults) -> None:
    faults.deny("ec2", "ModifySnapshotAttribute", times=1)
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "UnauthorizedOperation" in reason_of(report.result)
    assert len(sharing(scenario)) == 1
