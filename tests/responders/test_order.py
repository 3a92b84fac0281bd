"""What waits for what: a closed network takes three round trips, and evidence-first ends."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from contract import Document, ScriptExit
from lab import hosts
from lab.calls import Calls
from lab.faults import Faults
from lab.gate.call import Call
from lab.hosts import Ended, Host
from responders.actions.leave_fleet import LeaveFleet
from responders.aws import Access
from responders.outcome import Report
from responders.playbooks.instance import PLAYBOOK, InstanceOptions
from responders.respond import Request, respond
from responders.result import Skipped, status_of
from tests.responders.conftest import REGION, Scenario
from tests.responders.evidence import scripted
from tests.responders.fleets import make_fleet
from tests.responders.workload import FULL, Workload, hurry

MODIFY = ("ec2", "ModifyNetworkInterfaceAttribute")
FIRST = {
    "DescribeAutoScalingInstances",
    "DescribeInstances",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "GetCallerIdentity",
}
"""The first round trip, with the region known."""
PATIENCE = 30.0
"""Seconds after which something waited for what it should not wait for."""


def run(scenario: Scenario, options: InstanceOptions) -> Report:
    return respond(
        Request("instance", scenario.instance, "IR-7", "alice", Access(region=REGION), options)
    )


class Gate:
    """Answers the first question of each kind when all of them were asked, `then` at once, and
    nothing else before the network is touched. So the way there can hold no other round trip."""

    def __init__(self, faults: Faults, *then: str) -> None:
        self.order: list[str] = []
        self.held: list[bool] = []
        self._then = then
        self._together = threading.Barrier(len(FIRST), timeout=PATIENCE)
        self._touched = threading.Event()
        self._lock = threading.Lock()
        faults.before("*", "*", self._arrive)

    def _arrive(self, call: Call) -> None:
        with self._lock:
            new = call.operation not in self.order
            self.order.append(call.operation)
        if call.operation == MODIFY[1]:
            self._touched.set()
        elif new and call.operation in FIRST:
            self._together.wait()
        elif call.operation not in self._then:
            self.held.append(self._touched.wait(PATIENCE))


class TestRoundTrips:
    """With the region known. Each question is asked once, all of them at the same time."""

    def test_two_without_a_fleet(self, scenario: Scenario, faults: Faults) -> None:
        gate = Gate(faults)
        assert run(scenario, InstanceOptions(dwell=0)).outcome == "contained"
        assert all(gate.held)

    def test_three_with_a_fleet(self, scenario: Scenario, faults: Faults) -> None:
        make_fleet(scenario, low=0, high=9)
        gate = Gate(faults, "DetachInstances")
        assert run(scenario, InstanceOptions(dwell=0)).outcome == "contained"
        assert all(gate.held)
        assert gate.order.index("DetachInstances") < gate.order.index(MODIFY[1])

    def test_a_fleet_that_does_not_answer_is_waited_for_5_s(
        self, scenario: Scenario, faults: Faults, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from responders.playbooks import instance

        [isolate] = [
            s for s in instance.PLAYBOOK.steps(InstanceOptions()) if s.name == "isolate-network"
        ]
        assert isolate.after[LeaveFleet] == 5
        monkeypatch.setattr(instance, "FLEET_WAIT", 0.3)
        make_fleet(scenario, low=0, high=9)
        isolated = threading.Event()
        closed: list[bool] = []
        faults.before("autoscaling", "DetachInstances", lambda _: closed.append(isolated.wait(30)))
        faults.before(*MODIFY, lambda _: isolated.set())
        assert run(scenario, InstanceOptions(dwell=0)).outcome == "contained"
        assert closed == [True]


class Events:
    """The order of what matters, as the account saw it."""

    def __init__(self, calls: Calls) -> None:
        self.seen = [
            (call.operation, call.params)
            for call in calls
            if "cordon/" in call.user_agent and not call.error
        ]

    def first(self, operation: str, **given: Any) -> int:
        """Place of the first call of an operation with these parameters."""
        return next(
            place
            for place, (name, params) in enumerate(self.seen)
            if name == operation and all(params.get(k) == v for k, v in given.items())
        )

    def last(self, operation: str) -> int:
        """Place of the last one."""
        return max(place for place, (name, _) in enumerate(self.seen) if name == operation)


@pytest.fixture
def workload(scenario: Scenario, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Workload:
    hurry(monkeypatch)
    return Workload(scenario)


class TestEvidenceFirst:
    def test_memory_then_network_then_metadata(self, workload: Workload, calls: Calls) -> None:
        assert run(workload.scenario, FULL).outcome == "contained"
        events = Events(calls)
        memory = events.first("SendCommand", DocumentName="cordon-memory")
        closing = events.first(MODIFY[1])
        assert memory < events.first("SendCommand", DocumentName="cordon-host-firewall") < closing
        for cut in (
            "DisassociateAddress",
            "ReplaceIamInstanceProfileAssociation",
            "PutRolePolicy",
            "CreateNetworkAclEntry",
            "ModifyInstanceMetadataOptions",
        ):
            assert memory < events.first(cut), cut
        swapped = events.first("ReplaceIamInstanceProfileAssociation")
        assert swapped < events.first("PutRolePolicy")
        assert events.first("CreateSnapshots") < events.first("StopInstances")

    def test_the_deadline_holds(self, workload: Workload, calls: Calls, faults: Faults) -> None:
        """Memory that takes for ever: the network is closed anyway, and nothing is stopped."""
        closed = threading.Event()

        def endless(host: Host, given: Mapping[str, str]) -> Ended:
            in_time.append(closed.wait(30))
            return hosts.report(Document.MEMORY, ScriptExit.FAILED, "the way was cut")

        in_time: list[bool] = []
        scripted(workload.scenario, Document.MEMORY, endless)
        faults.before(
            *MODIFY,
            lambda _: closed.set(),
            only=lambda call: call.params.get("Groups") == [workload.scenario.isolate],
        )
        report = run(workload.scenario, replace(FULL, deadline=1.0))
        assert in_time == [True]
        assert workload.isolated()
        assert (report.outcome, report.exit_code) == ("contained", 3)
        results = {step.name: step.result for step in report.steps}
        assert status_of(results["memory"]) == "failed"
        assert results["stop"] == Skipped("needs memory, which did not succeed", incomplete=True)
        assert calls.of("ec2", "StopInstances") == []


class TestContainFirst:
    def test_isolation_waits_for_no_evidence(
        self, workload: Workload, calls: Calls, faults: Faults
    ) -> None:
        """Neither for memory, nor for snapshots, nor for the record: they go on beside it."""
        closed = threading.Event()
        waited: list[bool] = []

        def hold(_call: Call) -> None:
            waited.append(closed.wait(30))

        for operation in ("CreateSnapshots", "GetConsoleOutput", "DescribeVolumes"):
            faults.before("ec2", operation, hold, times=1)
        faults.before("ssm", "SendCommand", hold, times=1)
        faults.before("elbv2", "DescribeTargetGroups", hold, times=1)
        faults.before("ec2", "DescribeInstanceAttribute", hold, times=1)
        faults.before(
            *MODIFY,
            lambda _: closed.set(),
            only=lambda call: call.params.get("Groups") == [workload.scenario.isolate],
        )
        report = run(workload.scenario, replace(FULL, evidence_first=False, stop=False))
        assert report.outcome == "contained"
        assert waited
        assert all(waited)

    def test_the_metadata_service_goes_last(self, workload: Workload, calls: Calls) -> None:
        run(workload.scenario, replace(FULL, evidence_first=False))
        events = Events(calls)
        for evidence in ("GetConsoleOutput", "SendCommand", "DescribeImages"):
            assert events.last(evidence) < events.first("ModifyInstanceMetadataOptions"), evidence

    def test_it_is_left_on_when_asked(self) -> None:
        names = {step.name for step in PLAYBOOK.steps(InstanceOptions(keep_imds=True))}
        assert "disable-metadata" not in names
        assert "disable-metadata" in {step.name for step in PLAYBOOK.steps(InstanceOptions())}


def test_release_goes_backwards_and_the_network_opens_after_the_host_is_as_it_was() -> None:
    """Started before it may talk, its metadata service on before it boots."""
    names = [step.name for step in PLAYBOOK.steps(FULL)]
    for earlier, later in (
        ("disable-metadata", "stop"),
        ("swap-profile", "stop"),
        ("revoke-sessions", "swap-profile"),
        ("stop", "isolate-network"),
        ("isolate-network", "leave-load-balancers"),
        ("leave-load-balancers", "leave-fleet"),
        ("leave-fleet", "protect"),
    ):
        assert names.index(earlier) > names.index(later), (earlier, later)
