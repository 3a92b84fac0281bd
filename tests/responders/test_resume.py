"""A response that dies at any moment can be resumed, and then released to what was before."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from responders.record.journal import Entry, Journal
from tests.responders.conftest import REGION, Cordon, Scenario

FAST = ("--region", REGION, "--tracking", "convert", "--dwell", "0", "--json")


class Killed(BaseException):
    """Stands for the process dying."""


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int, *, written: bool) -> None:
    """Dies when entry `number` is about to be written, or has just been; and stays dead."""
    append = Journal.append

    def dying(self: Journal, kind: str, step: str = "", **body: Any) -> Entry:
        count = len(self.entries) + 1
        if count > number or (count == number and not written):
            raise Killed
        entry = append(self, kind, step, **body)
        if count == number:
            raise Killed
        return entry

    monkeypatch.setattr(Journal, "append", dying)


def test_resume_from_any_point(
    scenario: Scenario, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, tags = scenario.groups(), scenario.tags(scenario.instance)
    points = 0
    for number, written in zip(range(2, 200, 11), itertools.cycle((False, True)), strict=False):
        case = f"IR-{number}-{int(written)}"
        with monkeypatch.context() as patch:
            kill_at(patch, number, written=written)
            try:
                answer = cordon("instance", scenario.instance, "--case", case, *FAST)
            except Killed:
                points += 1
            else:
                assert answer.code == 0
                break
        resumed = cordon("resume", "--case", case, "--json")
        assert resumed.code == 0, (case, resumed.out)
        assert scenario.groups() == {eni: [scenario.isolate] for eni in scenario.enis}, case
        verified = cordon("case", "verify", "--case", case, "--json")
        assert verified.code == 0, (case, verified.out)
        released = cordon("release", scenario.instance, "--case", case, "--json")
        assert released.code == 0, (case, released.out)
        assert scenario.groups() == before, case
        assert scenario.tags(scenario.instance)["Environment"] == tags["Environment"], case
    else:
        pytest.fail("the run never came to its end")
    assert points >= 4


def test_nothing_to_resume(scenario: Scenario, cordon: Cordon) -> None:
    cordon("instance", scenario.instance, "--case", "IR-7", *FAST)
    answer = cordon("resume", "--case", "IR-7", "--json")
    assert (answer.code, answer.document["outcome"]) == (0, "nothing-to-resume")
