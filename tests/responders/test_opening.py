"""`--tracking convert` opens the instance to everything: bounded, visible, and closed by whoever
comes next."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from lab.gate.call import Call
from responders.actions.dwell import Dwell
from responders.errors import JournalError
from responders.record.journal import Journal
from tests.responders.conftest import REGION, Cordon, Scenario
from tests.responders.workload import hurry

MODIFY = ("ec2", "ModifyNetworkInterfaceAttribute")
CONVERT = ("--case", "IR-7", "--region", REGION, "--tracking", "convert", "--no-snapshot", "--json")
WARNING = "OPEN to all traffic, IPv4 and IPv6"


class Killed(BaseException):
    """Stands for the process dying."""


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def opening(scenario: Scenario) -> Callable[[Call], bool]:
    return lambda call: call.params.get("Groups") == [scenario.untrack]


def is_isolated(scenario: Scenario) -> bool:
    return scenario.groups() == {eni: [scenario.isolate] for eni in scenario.enis}


def is_open(scenario: Scenario) -> bool:
    return scenario.groups() == {eni: [scenario.untrack] for eni in scenario.enis}


def die_in_the_dwell(scenario: Scenario, cordon: Cordon, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a laptop whose battery is empty: nothing is written or called after it."""

    def die(self: Journal, *words: Any, **body: Any) -> Any:
        raise Killed

    def dwell(self: Dwell, *arguments: Any) -> None:
        patch.setattr(Journal, "append", die)
        patch.setattr("responders.runner.Runner._must_close", lambda self, step: False)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Dwell, "act", dwell)
        with pytest.raises(Killed):
            cordon("instance", scenario.instance, *CONVERT, "--dwell", "60")
    assert is_open(scenario)


class TestVisible:
    def test_by_default_nothing_is_opened(
        self, scenario: Scenario, cordon: Cordon, calls: Calls
    ) -> None:
        answer = cordon(
            "instance", scenario.instance, "--case", "IR-7", "--region", REGION, "--json"
        )
        assert answer.document["outcome"] == "contained"
        groups = [c.params["Groups"] for c in calls.of(*MODIFY) if "Groups" in c.params]
        assert groups == [[scenario.isolate]] * len(scenario.enis)
        assert any("live on" in risk for risk in answer.document["residual_risks"])
        assert not any(WARNING in risk for risk in answer.document["residual_risks"])

    @pytest.mark.parametrize("more", [(), ("--dry-run",)])
    def test_it_is_said_before_and_after(
        self, scenario: Scenario, cordon: Cordon, more: tuple[str, ...]
    ) -> None:
        answer = cordon("instance", scenario.instance, *CONVERT, "--dwell", "0.1", *more)
        assert answer.code == 0, answer.out
        assert any(WARNING in risk for risk in answer.document["residual_risks"])
        assert f"untrack                 planned: {WARNING}" in answer.err
        assert is_isolated(scenario) == (not more)


class TestClosed:
    """Whatever happens after the untrack group is on, the isolate group comes next."""

    def test_after_ctrl_c_which_says_what_it_leaves(
        self, scenario: Scenario, cordon: Cordon, faults: Faults
    ) -> None:
        def interrupt(_call: Call) -> None:
            os.kill(os.getpid(), signal.SIGINT)

        faults.after(*MODIFY, interrupt, only=opening(scenario), times=1)
        began = time.monotonic()
        answer = cordon("instance", scenario.instance, *CONVERT, "--dwell", "300")
        assert time.monotonic() - began < 60
        assert answer.code == 130
        assert is_isolated(scenario)
        dwell = answer.step("dwell")
        assert dwell["status"] == "skipped"
        assert "cut short" in dwell["reason"]
        assert "still tracked" in dwell["reason"]

    def test_when_the_disk_is_full(
        self, scenario: Scenario, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append = Journal.append

        def full(self: Journal, kind: str, step: str = "", **body: Any) -> Any:
            if is_open(scenario):
                raise JournalError("the record can't be written: no space left")
            return append(self, kind, step, **body)

        monkeypatch.setattr(Journal, "append", full)
        answer = cordon("instance", scenario.instance, *CONVERT, "--dwell", "0")
        assert is_isolated(scenario)
        assert any("no space left" in risk for risk in answer.document["residual_risks"])

    def test_when_its_interfaces_can_not_be_looked_at(
        self, scenario: Scenario, cordon: Cordon, faults: Faults
    ) -> None:
        def blind(_call: Call) -> None:
            faults.deny("ec2", "DescribeNetworkInterfaces")
            faults.deny("ec2", "DescribeInstances")

        faults.after(*MODIFY, blind, only=opening(scenario))
        answer = cordon("instance", scenario.instance, *CONVERT, "--dwell", "0")
        faults.clear()
        assert is_isolated(scenario)
        assert answer.code == 1  # nobody could verify it


class TestNextCommand:
    """A run died in the dwell: the next command of the case isolates first."""

    @pytest.mark.parametrize(
        "words",
        [
            ("resume", "--case", "IR-7"),
            ("snapshots", "--case", "IR-7"),
            ("case", "sync", "--case", "IR-7"),
        ],
    )
    def test_it_closes(
        self,
        scenario: Scenario,
        cordon: Cordon,
        monkeypatch: pytest.MonkeyPatch,
        words: tuple[str, ...],
    ) -> None:
        before = scenario.groups()
        die_in_the_dwell(scenario, cordon, monkeypatch)
        cordon(*words)
        assert is_isolated(scenario)
        released = cordon("release", scenario.instance, "--case", "IR-7", "--json")
        assert released.code == 0, released.out
        assert scenario.groups() == before

    def test_it_closes_before_all_else(
        self,
        scenario: Scenario,
        cordon: Cordon,
        monkeypatch: pytest.MonkeyPatch,
        calls: Calls,
    ) -> None:
        die_in_the_dwell(scenario, cordon, monkeypatch)
        calls.clear()
        answer = cordon("instance", scenario.instance, *CONVERT, "--dwell", "60")
        assert answer.document["outcome"] == "already-contained", answer.out
        changes = [c for c in calls.mutating if c.service == "ec2"]
        assert changes[0].params.get("Groups") == [scenario.isolate]
        assert not any(c.params.get("Groups") == [scenario.untrack] for c in changes)

    def test_a_plan_closes_nothing(
        self, scenario: Scenario, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        die_in_the_dwell(scenario, cordon, monkeypatch)
        cordon("instance", scenario.instance, *CONVERT, "--dry-run")
        assert is_open(scenario)

    def test_credentials_that_expired_in_the_dwell(
        self, scenario: Scenario, cordon: Cordon, faults: Faults
    ) -> None:
        """Both interfaces stay open, for nothing could be called; resume closes them."""

        def expire(_call: Call) -> None:
            faults.fail("*", "*", "ExpiredToken", "The security token is expired")

        faults.after(*MODIFY, expire, only=opening(scenario), times=len(scenario.enis))
        answer = cordon("instance", scenario.instance, *CONVERT, "--dwell", "0")
        assert answer.code == 1
        assert "MAY BE OPEN TO EVERYTHING" in answer.step("isolate-network")["reason"]
        faults.clear()
        assert scenario.untrack in str(scenario.groups())
        cordon("resume", "--case", "IR-7", "--json")
        assert is_isolated(scenario)

    def test_what_can_not_be_closed_is_said_and_is_no_success(
        self,
        scenario: Scenario,
        cordon: Cordon,
        monkeypatch: pytest.MonkeyPatch,
        faults: Faults,
    ) -> None:
        die_in_the_dwell(scenario, cordon, monkeypatch)
        faults.deny(*MODIFY)
        answer = cordon("case", "sync", "--case", "IR-7")
        assert answer.code == 1
        assert "IS OPEN TO EVERYTHING" in answer.err

    def test_a_case_without_an_opening_costs_nothing(
        self, scenario: Scenario, cordon: Cordon, calls: Calls
    ) -> None:
        cordon("instance", scenario.instance, *CONVERT, "--dwell", "0")
        calls.clear()
        cordon("case", "sync", "--case", "IR-7")
        assert calls.of("ec2", "DescribeNetworkInterfaces") == []
