"""The vault is far away: its objects are written and read several at a time."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.faults import Faults
from lab.gate.call import Call
from responders.record.case import Case
from responders.record.vault import UPLOADS_AT_ONCE
from tests.responders.conftest import REGION, Cordon, Scenario
from tests.responders.workload import hurry

LATENCY = 0.01
"""Seconds that each call takes longer."""


class Traffic:
    """How many calls of one kind were on their way, and the most at the same time."""

    def __init__(self) -> None:
        self.calls = self.most = self._now = 0
        self._lock = threading.Lock()

    def pass_by(self, _call: Call) -> None:
        with self._lock:
            self.calls += 1
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(LATENCY)
        with self._lock:
            self._now -= 1


@contextmanager
def watched(faults: Faults, operation: str) -> Iterator[Traffic]:
    traffic = Traffic()
    faults.before("s3", operation, traffic.pass_by)
    yield traffic
    faults.clear()
    assert traffic.calls >= 20, traffic.calls
    assert 4 <= traffic.most <= UPLOADS_AT_ONCE, traffic.most


def test_eight_objects_are_on_their_way_at_once(
    scenario: Scenario, cordon: Cordon, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    with watched(faults, "PutObject"):
        words = ("--case", "IR-7", "--region", REGION, "--no-snapshot")
        assert cordon("instance", scenario.instance, *words).code == 0
    with watched(faults, "GetObject"):
        assert cordon("case", "verify", "--case", "IR-7").code == 0
    shutil.rmtree(Case("IR-7").folder)
    with watched(faults, "GetObject"):
        assert cordon("case", "sync", "--case", "IR-7", "--region", REGION).code == 0
