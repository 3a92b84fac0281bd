"""`--evidence-first`: memory before the network, but never later than the deadline."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from contract import Document, ScriptExit
from lab import hosts
from lab.calls import Calls
from lab.hosts import Ended, Host
from lab.mends.managed_instances import set_agent
from responders.aws import Access
from responders.host import run_command
from responders.outcome import Report
from responders.playbooks.instance import InstanceOptions
from responders.respond import Request, respond
from tests.responders.conftest import REGION, Scenario
from tests.responders.evidence import ACCOUNT, ending, prepare_documents, scripted, stage_tool


@pytest.fixture(autouse=True)
def _agent(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_command, "EVERY", 0.01)
    monkeypatch.setattr(run_command, "GRACE", 0.3)
    monkeypatch.setattr(run_command, "REACHABLE_EVERY", 0.05)
    prepare_documents(scenario)
    set_agent(ACCOUNT, REGION, scenario.instance)
    stage_tool(scenario, "avml-x86_64")


def run(scenario: Scenario, **options: Any) -> Report:
    chosen = InstanceOptions(dwell=0, memory=True, snapshot=False, **options)
    return respond(
        Request("instance", scenario.instance, "IR-7", "alice", Access(region=REGION), chosen)
    )


def step(report: Report, name: str) -> dict[str, Any]:
    return next(s.as_json() for s in report.steps if s.name == name)


def order(calls: Calls) -> list[str]:
    """The end of the capture, and the changes of groups, as they came."""
    told = []
    for call in calls:
        if call.operation == "GetCommandInvocation":
            told.append("captured")
        if call.operation == "ModifyNetworkInterfaceAttribute" and "Groups" in call.params:
            told.append("groups")
    return told


def test_memory_comes_before_the_network(scenario: Scenario, calls: Calls) -> None:
    scripted(
        scenario,
        Document.MEMORY,
        lambda host, given: dataclasses.replace(hosts.memory(host, given), looks=20),
    )
    report = run(scenario, evidence_first=True, deadline=60.0)
    assert (report.outcome, report.exit_code) == ("contained", 0), report
    assert step(report, "memory")["status"] == "done"
    told = order(calls)
    assert told.count("captured") == 2  # memory, and what is volatile
    assert told.index("groups") > max(i for i, t in enumerate(told) if t == "captured")


def test_at_the_deadline_it_isolates_anyway(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.actions.memory.LEAST_SECONDS", 1)
    monkeypatch.setattr("lab.mends.commands._checked", lambda declared, given: given)
    scripted(scenario, Document.MEMORY, ending(Ended(looks=100_000)))
    begun = time.monotonic()
    report = run(scenario, evidence_first=True, deadline=1.0, stop=True)
    assert (report.outcome, report.exit_code) == ("contained", 3)
    assert report.contained_after_s is not None
    assert 1.0 <= report.contained_after_s <= time.monotonic() - begun
    assert scenario.groups() == {eni: [scenario.isolate] for eni in scenario.enis}
    assert step(report, "memory")["status"] == "failed"
    assert "isolated meanwhile" in step(report, "memory")["reason"]
    assert "needs memory" in step(report, "stop")["reason"]
    state = scenario.client("ec2").describe_instances(InstanceIds=[scenario.instance])
    assert state["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"


def test_contain_first_does_not_wait_for_memory(scenario: Scenario, calls: Calls) -> None:
    def slowly(host: Host, given: dict[str, str]) -> Ended:
        return dataclasses.replace(hosts.memory(host, given), looks=100_000)

    scripted(scenario, Document.MEMORY, slowly)
    report = run(scenario)
    assert (report.outcome, report.exit_code) == ("contained", 3)
    assert step(report, "memory")["status"] in ("failed", "skipped")
    assert scenario.groups() == {eni: [scenario.isolate] for eni in scenario.enis}


def test_a_failed_capture_holds_nothing_up(scenario: Scenario) -> None:
    ended = hosts.report(Document.MEMORY, ScriptExit.LOCKDOWN, "the kernel is locked down")
    scripted(scenario, Document.MEMORY, ending(ended))
    report = run(scenario, evidence_first=True, deadline=60.0)
    assert (report.outcome, report.exit_code) == ("contained", 3)
    assert "locked down" in step(report, "memory")["reason"]
    assert report.contained_after_s is not None
    assert report.contained_after_s < 30
