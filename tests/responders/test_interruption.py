"""An interrupt waits for what is half done, and for nothing else; nothing begins afterwards."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from lab.calls import Calls
from lab.faults import Faults
from lab.gate.call import Call
from responders.interruption import Interruption
from responders.record.case import Case
from responders.record.run import unfinished
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, Cordon
from tests.responders.people import People, populate

USER = ("user", "alice", "--case", "IR-7", "--region", REGION, "--json")
HEEDED_WITHIN = 2.0
"""Seconds; the rest of what is measured is the command's own work."""


@pytest.fixture
def people(aws_lab: AwsLab) -> People:
    return populate(aws_lab)


class Hold:
    """Keeps calls from being answered, and interrupts this process once the first has come."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.sent = 0.0
        self._once = threading.Lock()

    def __call__(self, _call: Call) -> None:
        if self._once.acquire(blocking=False):
            threading.Timer(0.5, self._interrupt).start()
        self.over.wait(30)

    def _interrupt(self) -> None:
        self.sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def hold() -> Iterator[Hold]:
    held = Hold()
    yield held
    held.over.set()


def test_steps_that_only_look_are_abandoned_and_never_act_afterwards(
    people: People, cordon: Cordon, faults: Faults, calls: Calls, hold: Hold
) -> None:
    before = people.state()
    calls.clear()
    looks = ("ListUserPolicies", "GetUserPolicy", "ListAttachedUserPolicies")
    for name in looks:
        faults.before("iam", name, hold)
    answer = cordon(*USER)
    assert time.monotonic() - hold.sent < HEEDED_WITHIN + 1
    assert (answer.code, answer.document["outcome"]) == (130, "interrupted"), answer.out
    written = [entry.kind for run in Case("IR-7").runs() for entry in run.entries]
    hold.over.set()
    time.sleep(0.5)
    faults.clear()
    assert people.state()["inline"] == before["inline"]
    assert [entry.kind for run in Case("IR-7").runs() for entry in run.entries] == written
    assert len(unfinished(Case("IR-7").runs())) == 1
    assert cordon("resume", "--case", "IR-7", "--json").code == 0


def test_the_wait_for_the_vault_is_cut_short_and_leaves_nothing_to_resume(
    people: People, cordon: Cordon, faults: Faults, hold: Hold
) -> None:
    faults.before("s3", "PutObject", hold)
    answer = cordon(*USER)
    assert time.monotonic() - hold.sent < HEEDED_WITHIN + 1
    hold.over.set()
    assert (answer.code, answer.document["outcome"]) == (130, "contained"), answer.out
    assert "cordon case sync" in answer.document["evidence"]["reason"]
    assert unfinished(Case("IR-7").runs()) == []


def test_what_is_half_done_is_waited_for_and_the_rest_is_not() -> None:
    stopping, hangs, acted = threading.Event(), threading.Event(), threading.Event()
    under = Interruption(stopping)
    late: list[bool] = []

    def acting() -> None:
        assert under.may_act("acting", even_now=False)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1.5)
        acted.set()
        under.ended("acting")

    def looking() -> None:
        hangs.wait(20)
        late.extend([under.may_act("looking", even_now=True), under.may_record("looking")])

    with under.heeded():
        under.run({"acting": acting, "looking": looking})
    assert acted.is_set()
    hangs.set()
    time.sleep(0.1)
    assert late == [False, False]
    assert not under.may_act("later", even_now=False)
    assert under.may_act("closes what is open", even_now=True)
