"""Drives any action through its whole life, with the real runner, journal and case folder.

    Life(Protect(), scenario, calls, state=protections).whole(done=is_protected, drift=outsider)

`state` is what AWS says, read with plain boto3. `whole` leaves the account as it found it (where
the action can be undone), so a test may go on with it. Single chapters can be called by themselves.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from lab.calls import Calls, Seen
from responders.action import Action, Incident, Observation, Subject
from responders.aws import Access, Aws
from responders.graph import Step
from responders.record.case import Case, new_run, open_run
from responders.record.vault import Mirror
from responders.result import (
    AlreadyInPlace,
    Done,
    Failed,
    Planned,
    Skipped,
    reason_of,
)
from responders.runner import Listener, Runner, StepReport
from responders.scene import Scene
from responders.trust.trust import Trust


class World(Protocol):
    """What a life needs to know of a scenario."""

    region: str
    instance: str


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Life:
    """One action on one target. `target` is the scenario's instance unless given."""

    action: Action
    world: World
    calls: Calls
    state: Callable[[], Any]
    target: str = ""
    subject: Subject | None = None
    """What the incident is about; the scenario's instance unless given."""
    number: int = 7
    """Of the case; each chapter that ends in a release opens the next one."""
    reversible: bool = True
    """False: release leaves what the action made, and says so by `restored` or `Skip`."""

    def __post_init__(self) -> None:
        self.target = self.target or self.world.instance
        self.aws = _aws(self.world.region, False)
        self._reading = _aws(self.world.region, True)

    @property
    def case(self) -> str:
        """The case of the present chapter."""
        return f"IR-{self.number}"

    # -- single acts --

    def dry(self) -> StepReport:
        """A dry run of the response."""
        return self._runner(None, self.action).respond([Step(self.action)])[0]

    def run(self, action: Action | None = None, *, resume: bool = False) -> StepReport:
        """A new run of the response, or the last one gone on with."""
        acting = action or self.action
        return self._runner(self._run_name(resume), acting).respond([Step(acting)])[0]

    def respond(self, *steps: Step, listener: Listener = lambda _report: None) -> list[StepReport]:
        """A new run of a graph of several steps."""
        return self._runner(new_run(), self.action, listener).respond(steps)

    def release(self, *, dry: bool = False) -> StepReport | None:
        """A release, as a run of its own; None when the record has nothing to restore."""
        runner = self._runner(None if dry else new_run(), self.action)
        return next(iter(runner.release([Step(self.action)])), None)

    def observe(self) -> Observation:
        """What the action sees now, with what it knows of the case."""
        return self.action.observe(self.incident())

    def incident(self) -> Incident:
        """An incident as the action is given it now."""
        undo = Case(self.case).undo_record(self.target).get(self.action.name)
        return self._incident(self._reading, "look", known=undo.before if undo else {})

    def mutating(self) -> list[Seen]:
        """The calls since the last look that may have changed something."""
        found = self.calls.mutating
        self.calls.clear()
        return found

    # -- chapters --

    def whole(
        self,
        done: Callable[[], None],
        drift: Callable[[], str] | None = None,
    ) -> None:
        """Every chapter. `done` asserts that AWS says what the action is for.

        `drift` changes one thing as an outsider would, after the run, and names the thing.
        """
        self.planned()
        self.noop_fails()
        self.done_and_released(done)
        self.crashed(done, before_act=True)
        self.crashed(done, before_act=False)
        if drift:
            self.drifted(drift)

    def planned(self) -> None:
        """A dry run plans, and makes no call that changes anything."""
        before = self.state()
        self.mutating()
        report = self.dry()
        assert isinstance(report.result, Planned), report
        assert report.result.lacks
        assert self.mutating() == []
        assert self.state() == before

    def noop_fails(self) -> None:
        """An action that does nothing is a failure: the check after acting bites."""
        self.mutating()
        report = self.run(with_act(self.action, lambda act, incident, observation: None))
        assert isinstance(report.result, Failed), report
        assert self.mutating() == []
        self._next_case()

    def done_and_released(self, done: Callable[[], None]) -> None:
        """Done, then already in place, then restored exactly; then nothing is left to restore."""
        before = self.state()
        report = self.run()
        assert isinstance(report.result, Done), reason_of(report.result)
        done()
        self.holds_without_changes()
        self.restores(before)

    def holds_without_changes(self) -> None:
        """A second run of the case finds all in place and changes nothing."""
        state = self.state()
        self.mutating()
        report = self.run()
        assert isinstance(report.result, AlreadyInPlace), reason_of(report.result)
        assert self.mutating() == []
        assert self.state() == state

    def restores(self, before: Any) -> None:
        """Release brings back `before`, and a second release changes nothing."""
        planned = self.release(dry=True)
        self.mutating()
        report = self.release()
        if self.reversible:
            assert planned is not None
            assert isinstance(planned.result, Planned), planned.result
            assert report is not None
            assert isinstance(report.result, Done), reason_of(report.result)
            assert self.state() == before
        else:
            assert report is None or not isinstance(report.result, Failed), report
        self.mutating()
        again = self.release()
        assert again is None or not isinstance(again.result, Done | Failed), again
        assert self.mutating() == []
        self._next_case()

    def crashed(self, done: Callable[[], None], *, before_act: bool) -> None:
        """The process dies once the intention is on disk: before the change, or right after it."""
        before = self.state()

        def die(act: Callable[[], None], incident: Incident, observation: Observation) -> None:
            if not before_act:
                act()
            raise Crash

        try:
            self.run(with_act(self.action, die))
        except Crash:
            pass
        else:
            raise AssertionError("it should have died")
        report = self.run(resume=True)
        assert isinstance(report.result, Done | AlreadyInPlace), reason_of(report.result)
        done()
        self.restores(before)

    def drifted(self, drift: Callable[[], str]) -> None:
        """What somebody else changed since is told on release, and left as it is."""
        assert isinstance(self.run().result, Done)
        thing = drift()
        changed = self.observe().get(thing)
        report = self.release()
        assert report is not None
        assert isinstance(report.result, Skipped), report.result
        assert report.result.incomplete
        assert thing in report.result.reason
        assert self.observe().get(thing) == changed
        self._next_case()

    # -- below --

    def _next_case(self) -> None:
        self.number += 1

    def _run_name(self, resume: bool) -> str:
        return Case(self.case).runs_on_disk()[-1] if resume else new_run()

    def _runner(
        self, run: str | None, action: Action, listener: Listener = lambda _report: None
    ) -> Runner:
        case = Case(self.case)
        undo = case.undo_record(self.target)
        if run is None:
            return Runner(self._incident(self._reading, "dry"), None, undo=undo)
        record, evidence = open_run(case, run, Mirror(lambda: None))
        if not record.entries:
            record.append(
                "begin",
                target=self.target,
                command="instance",
                asked=self.target,
                region=self.world.region,
                options={},
            )
        incident = self._incident(self.aws, run, evidence=evidence)
        return Runner(incident, record, undo=undo, listener=listener)

    def _incident(
        self, aws: Aws, run: str, evidence: Any = None, known: Observation | None = None
    ) -> Incident:
        return Incident(
            case=self.case,
            run=run,
            responder="alice",
            aws=aws,
            account=aws.identity.account,
            partition=aws.identity.partition,
            region=self.world.region,
            target=self.target,
            subject=self.subject or Scene(aws, self.world.region, self.target),
            prepared=Trust(aws, self.world.region),
            evidence=evidence or _Names(self.case),
            started=_started(self.case),
            known=known or {},
        )


@functools.cache
def _aws(region: str, read_only: bool) -> Aws:
    """One for all tests: a session and its clients cost as much as many calls."""
    return Aws(Access(region=region), case="IR-7", read_only=read_only)


@dataclass(frozen=True)
class _Names:
    """Evidence of a dry run: names only."""

    case: str

    def save(self, name: str, data: bytes) -> None:
        raise AssertionError(f"{name} was saved in a dry run")

    def names(self) -> frozenset[str]:
        return Case(self.case).evidence_names()


def _started(case: str) -> datetime:
    begins = [run.begin for run in Case(case).runs() if run.begin]
    return datetime.fromisoformat(begins[0]["at"]) if begins else datetime.now(UTC)


Act = Callable[[Callable[[], None], Incident, Observation], None]


def with_act(action: Action, act: Act) -> Action:
    """The same action with another `act`, which is given the true one to call or not."""
    changed = copy.copy(action)

    def acting(self: Action, incident: Incident, observation: Observation) -> None:
        act(lambda: action.act(incident, observation), incident, observation)

    kind = type(action)
    object.__setattr__(changed, "__class__", type(kind.__name__, (kind,), {"act": acting}))
    return changed
