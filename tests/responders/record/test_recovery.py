"""What cut a run short leaves a record from which the next command does the right thing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from contract import TAG_STATUS
from lab.faults import Faults
from lab.gate.call import Call
from responders.record.case import Case
from responders.record.journal import GENESIS, canonical, sha256
from responders.record.run import unfinished
from tests.responders.conftest import REGION, Cordon, Scenario
from tests.responders.workload import hurry

FAST = ("--region", REGION, "--tracking", "convert", "--dwell", "0", "--json", "--no-snapshot")
CASE = ("--case", "IR-7")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def isolated(scenario: Scenario) -> bool:
    return set(map(tuple, scenario.groups().values())) == {(scenario.isolate,)}


def test_credentials_that_expire_in_the_dwell_leave_a_run_that_resume_closes(
    scenario: Scenario, cordon: Cordon, faults: Faults
) -> None:
    before = scenario.groups()

    def expire(_call: Call) -> None:
        faults.fail("*", "*", "ExpiredToken", "The security token is expired")

    faults.after(
        "ec2",
        "ModifyNetworkInterfaceAttribute",
        expire,
        only=lambda call: call.params.get("Groups") == [scenario.untrack],
        times=1,
    )
    answer = cordon("instance", scenario.instance, *CASE, *FAST)
    faults.clear()
    assert (answer.code, answer.document["outcome"]) == (1, "not-contained"), (
        answer.out + answer.err
    )
    assert [scenario.untrack] in scenario.groups().values()
    resumed = cordon("resume", *CASE, "--json")
    # The network is closed before all else, by a run of its own; then the response is gone on with.
    (gone_on_with,) = resumed.document["runs"]
    assert (resumed.code, gone_on_with["run"]) == (0, answer.document["run"]), resumed.out
    assert gone_on_with["outcome"] == "already-contained"
    assert {step["status"] for step in gone_on_with["steps"]} <= {"done", "already", "skipped"}
    assert scenario.tags(scenario.instance)[TAG_STATUS] == "quarantined"
    assert isolated(scenario)
    # Protections that could not be read any more, for the credentials had expired, stay on: exit 3.
    assert cordon("release", scenario.instance, *CASE).code in (0, 3)
    assert scenario.groups() == before


class Disk:
    """A disk that is full once `entries` more files were written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: float = float("inf")
        link = os.link

        def linking(*args: Any, **kwargs: Any) -> None:
            self.left -= 1
            if self.left < 0:
                raise OSError(28, "No space left on device")
            link(*args, **kwargs)

        monkeypatch.setattr(os, "link", linking)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_disk_that_is_full_during_release_stops_no_later_one(
    scenario: Scenario, cordon: Cordon, disk: Disk
) -> None:
    """Full before its first entry, then amid its steps."""
    before = scenario.groups()
    assert cordon("instance", scenario.instance, *CASE, *FAST).code == 0
    for entries, resumable in ((0, 0), (3, 1)):
        disk.left = entries
        answer = cordon("release", scenario.instance, *CASE, "--json")
        disk.left = float("inf")
        assert answer.code == 1, (entries, answer.out)
        assert "No space left" in answer.out
        assert len(unfinished(Case("IR-7").runs())) == resumable
        assert cordon("case", "verify", *CASE, "--local").code == 0
    assert isolated(scenario)
    resumed = cordon("resume", *CASE, "--json")
    assert [run["outcome"] for run in resumed.document["runs"]] == ["released"], resumed.out
    assert scenario.groups() == before
    assert cordon("case", "verify", *CASE).code == 0


def as_written_by_0_1_0(run: Path) -> None:
    """Rewrites a run as version 0.1.0 wrote it: no fields but those it knew, one chain by name."""
    known = {
        "begin": (
            "command", "target", "asked", "region", "account", "responder", "options", "kit", "host"
        ),
        "intend": ("seen", "lacks", "requests"),
        "result": ("status", "reason", "now", "notes", "risks", "requests"),
        "evidence": ("name", "sha256", "bytes"),
        "end": ("outcome", "steps"),
    }  # fmt: skip
    always = ("schema", "case", "run", "kind", "step", "at", "caller")
    journal = run / "journal"
    bodies = [json.loads(p.read_bytes()) for p in journal.iterdir()]
    shutil.rmtree(journal)
    journal.mkdir(mode=0o700)
    previous = GENESIS
    kept = [b for b in sorted(bodies, key=lambda b: b["number"]) if b["kind"] in known]
    for number, body in enumerate(kept, start=1):
        body = {k: body[k] for k in (*always, *known[body["kind"]]) if k in body}
        raw = canonical(body | {"number": number, "previous": previous})
        (journal / f"{number}.json").write_bytes(raw)
        previous = sha256(raw)


def test_a_record_of_version_0_1_0_verifies_and_is_released(
    scenario: Scenario, cordon: Cordon, faults: Faults
) -> None:
    before, tags = scenario.groups(), scenario.tags(scenario.instance)
    faults.unreachable("s3", "*")  # that version's vault is another story: this is its disk
    assert cordon("instance", scenario.instance, *CASE, *FAST).document["outcome"] == "contained"
    faults.clear()
    case = Case("IR-7")
    as_written_by_0_1_0(case.folder / case.runs_on_disk()[0])
    assert cordon("case", "verify", *CASE, "--local", "--json").document["faults"] == []
    assert cordon("case", "sync", *CASE, "--region", REGION).code == 0
    released = cordon("release", scenario.instance, *CASE, "--json")
    assert released.document["outcome"] == "released", released.out
    assert scenario.groups() == before
    assert scenario.tags(scenario.instance)["Environment"] == tags["Environment"]
    assert cordon("case", "verify", *CASE).code == 0


def test_an_interrupt_before_the_journal_leaves_nothing_to_resume(
    scenario: Scenario, cordon: Cordon, faults: Faults
) -> None:
    before = scenario.groups()

    def interrupt(_call: Call) -> None:
        raise KeyboardInterrupt

    faults.before("ec2", "DescribeInstances", interrupt, times=1)
    answer = cordon("instance", scenario.instance, *CASE, *FAST)
    faults.clear()
    assert answer.code not in (0, 4), answer.out
    assert "nothing to resume" in (answer.out + answer.err).lower()
    resumed = cordon("resume", *CASE, "--json")
    assert resumed.code == 2
    assert "no run to resume" in resumed.document["error"]
    assert scenario.groups() == before
