"""What a response left is never taken for what was there before: every step, every home."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lab.calls import Calls
from responders.playbooks.instance import PLAYBOOK
from responders.record.case import Case
from tests.responders.conftest import Scenario
from tests.responders.life import Life
from tests.responders.workload import FULL, Workload, hurry

OPTIONS = dataclasses.replace(FULL, memory=False, host_firewall=False, evidence_first=False)
STEPS = PLAYBOOK.steps(OPTIONS)
CUT_OFF = {
    "isolate-network",
    "protect",
    "tag",
    "swap-profile",
    "revoke-sessions",
}
"""Steps that may have to change again what a response left: they must know it as such."""


def test_no_step_records_what_a_response_left(
    scenario: Scenario, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hurry(monkeypatch)
    Workload(scenario)
    life = Life(STEPS[0].action, scenario, calls, state=dict)
    life.respond(*STEPS)
    first = Case(life.case).undo_record(scenario.instance)
    left = {
        step.name: {
            name: state
            for name, state in first[step.name].after.items()
            if state != first[step.name].before[name]
        }
        for step in STEPS
        if step.name in first and not (step.action.collects or step.action.stays)
    }
    assert len([name for name, states in left.items() if states]) >= 10
    incident = life.incident()
    for step in STEPS:
        if step.name in CUT_OFF:
            for name, state in left[step.name].items():
                assert step.action.is_own(incident, name, state), (step.name, name)
    for home, number in (("second", life.number), ("third", life.number + 1)):
        monkeypatch.setenv("CORDON_HOME", str(tmp_path / home))
        life.number = number
        life.respond(*STEPS)
        again = Case(life.case).undo_record(scenario.instance)
        for step, states in left.items():
            recorded = again[step].before if step in again else {}
            taken = [
                name
                for name, state in states.items()
                if name in recorded and recorded[name] == state
            ]
            # Another case's tags are given back to that case: see `Tag.belongs_to`.
            if not (home == "third" and step == "tag"):
                assert taken == [], (home, step)
