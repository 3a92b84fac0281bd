"""Runs actions as a graph, and owns everything around them.

For each step: observe, journal what was seen (on disk), act, look again, journal the result.
Steps that don't wait on each other run at the same time. No error stops a step that doesn't need
the failed one, and none ever undoes a change: only `release` does, from the record.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from responders.action import Action, AnyAction, Incident, Observation, Subject
from responders.aws import Call, explain, recording
from responders.connection import hurried
from responders.errors import JournalError, Skip
from responders.graph import AnyStep, Graph
from responders.interruption import GuardedEvidence, Interruption
from responders.record import journal
from responders.record.case import Undo
from responders.record.journal import Journal
from responders.result import (
    AlreadyInPlace,
    Done,
    Failed,
    Planned,
    Result,
    Skipped,
    holds,
    reason_of,
    status_of,
)


@dataclass(frozen=True)
class StepReport:
    """What became of one step, for the report and the journal."""

    name: str
    result: Result
    observation: Observation = field(default_factory=dict)
    now: Observation | None = None
    notes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    started: str = ""
    ended: str = ""
    ended_at: float = 0.0
    """Clock seconds (monotonic)."""

    def as_json(self) -> dict[str, Any]:
        """The step as the JSON document shows it."""
        return {
            "name": self.name,
            "status": status_of(self.result),
            "reason": reason_of(self.result),
            "notes": list(self.notes),
            "seen": dict(self.observation),
            "started": self.started,
            "ended": self.ended,
        }


Listener = Callable[[StepReport], None]
"""Called with each step's report as it ends, and with the plan of one that announces it."""


class Runner:
    """Runs one playbook on one incident. Without a journal it is a dry run."""

    def __init__(
        self,
        incident: Incident[Subject],
        record: Journal | None,
        *,
        undo: Mapping[str, Undo] | None = None,
        listener: Listener = lambda _report: None,
        holders: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self.incident = incident
        self._holders = holders
        self.left_to = ""
        """The other case that holds the target, if something was not restored because of it."""
        self._journal = record
        self._undo_record = undo or {}
        self._listener = listener
        self._ended: dict[str, threading.Event] = {}
        self._acted: dict[str, threading.Event] = {}
        self._began = time.monotonic()
        self._reports: dict[str, StepReport] = {}
        self._interruption = Interruption(incident.stopping)

    @property
    def interrupted(self) -> bool:
        """Whether the user asked to stop."""
        return self.incident.stopping.is_set()

    def respond(self, steps: Iterable[AnyStep]) -> list[StepReport]:
        """Runs the graph and gives the reports in the playbook's order."""
        graph = Graph(steps)
        self._ended = {step.name: threading.Event() for step in graph}
        self._acted = {step.name: threading.Event() for step in graph}
        self._began = time.monotonic()
        with self._interruption.heeded():
            self._in_threads(graph, self._run)
            self._in_threads([s for s in graph if s.recheck], self._recheck)
        return [self._reports.get(step.name) or _abandoned(step) for step in graph]

    def _in_threads(self, steps: Sequence[AnyStep], work: Callable[[AnyStep], None]) -> None:
        closing = {step.name: step for step in steps if step.closes}
        self._interruption.run(
            {step.name: partial(work, step) for step in steps},
            lambda name: name in closing and self._must_close(closing[name]),
        )

    # -- one step --

    def _run(self, step: AnyStep) -> None:
        try:
            self._finish(step, self._attempt(step, fresh=self._await(step)))
        finally:
            self._interruption.ended(step.name)
            self._acted[step.name].set()
            self._ended[step.name].set()

    def _await(self, step: AnyStep) -> bool:
        """Waits for the steps before; whether one that was waited out changed something."""
        stale = False
        for name, at_most in step.waits.items():
            if name not in self._ended:
                continue
            if at_most is None:
                self._ended[name].wait()
                stale |= name in self._reports and _changed(self._reports[name].result)
            elif self._journal:
                self._acted[name].wait(max(0.0, self._began + at_most - time.monotonic()))
        return stale

    def _finish(self, step: AnyStep, report: StepReport) -> None:
        if self._interruption.may_record(step.name):
            self._reports[step.name] = report
            self._say(report)

    def _say(self, report: StepReport) -> None:
        try:
            self._listener(report)
        except OSError:
            # The terminal is gone. That must not stop a response, and the record has it all.
            self._listener = lambda _report: None

    def _attempt(self, step: AnyStep, *, fresh: bool) -> StepReport:
        started = journal.now()
        incident = self._for_step(step.name, fresh=fresh)
        observation: Observation = {}
        now: Observation | None = None
        with recording() as calls:
            if self.interrupted and not self._must_close(step):
                result: Result = INTERRUPTED_BEFORE
            elif unmet := self._unmet(step):
                result = Skipped(f"needs {', '.join(unmet)}, which did not succeed", True)
            else:
                try:
                    with _patience(step.action):
                        observation = step.action.observe(incident)
                        lacks = step.action.lacks(incident, observation)
                except Skip as skip:
                    result = Skipped(str(skip), skip.incomplete)
                except Exception as error:
                    result = Failed(explain(error))
                else:
                    result, now = self._decide(step, incident, observation, lacks, calls)
            report = _report(step.action, incident, result, observation, now, started)
            return self._write_result(report, calls)

    def _unmet(self, step: AnyStep) -> list[str]:
        if self._journal is None:
            return []
        return [n for n in step.needed if n in self._reports and not holds(self._reports[n].result)]

    def _must_close(self, step: AnyStep) -> bool:
        return step.closes is not None and step.closes.name in self._interruption.began

    def _decide(
        self,
        step: AnyStep,
        incident: Incident[Subject],
        observation: Observation,
        lacks: tuple[str, ...],
        calls: list[Call],
    ) -> tuple[Result, Observation | None]:
        action = step.action
        if not lacks:
            return AlreadyInPlace(), observation
        if self._journal is None:
            return Planned(lacks), None
        own = [k for k, state in observation.items() if _is_own(action, incident, k, state)]
        if not self._interruption.may_act(
            step.name,
            even_now=self._must_close(step),
            reads_only=_only_collects(action),
        ):
            return INTERRUPTED_BEFORE, None
        try:
            self._journal.append(
                "intend", action.name, seen=observation, own=own, lacks=lacks, requests=_ids(calls)
            )
        except JournalError as error:
            if not self._must_close(step):
                self._interruption.began.discard(step.name)
                return Failed(error.message, lacks), None
            incident.risk(f"closed without a record, for it was open: {error.message}")
        if action.announce:
            self._say(StepReport(action.name, Planned(lacks), observation))
        return self._act(action, incident, observation)

    def _act(
        self, action: AnyAction, incident: Incident[Subject], observation: Observation
    ) -> tuple[Result, Observation | None]:
        """Acts and looks again. What contains is tried once more on what that look found."""
        result, now = self._try(action, incident, observation)
        if isinstance(result, Failed) and action.contains and now is not None:
            return self._try(action, self._refreshed(incident, observation), now)
        return result, now

    def _try(
        self, action: AnyAction, incident: Incident[Subject], observation: Observation
    ) -> tuple[Result, Observation | None]:
        trouble = ""
        try:
            action.act(incident, observation)
        except Skip as skip:
            return Skipped(str(skip), skip.incomplete), None
        except Exception as error:
            trouble = explain(error)
        finally:
            self._acted[action.name].set()
        try:
            fresh = self._refreshed(incident, observation)
            with _patience(action):
                now = action.observe(fresh)
                left = action.lacks(fresh, now)
        except Exception as error:
            unseen = f"could not be verified: {explain(error)}"
            return Failed("; ".join(filter(None, (trouble, unseen)))), None
        if left:
            return Failed(trouble or "it did not hold when looked at again", left), now
        return Done(f"holds, though a call failed: {trouble}" if trouble else ""), now

    def _write_result(self, report: StepReport, calls: list[Call]) -> StepReport:
        if self._journal is None or not self._interruption.may_record(report.name):
            return report
        try:
            self._journal.append(
                "result",
                report.name,
                status=status_of(report.result),
                reason=reason_of(report.result),
                now=report.now,
                notes=report.notes,
                risks=report.risks,
                requests=_ids(calls),
            )
        except JournalError as error:
            told = f"{error.message} (the step itself: {status_of(report.result)})"
            if holds(report.result):
                return dataclasses.replace(report, risks=(*report.risks, told))
            return dataclasses.replace(
                report, result=Failed("; ".join(filter(None, (reason_of(report.result), told))))
            )
        return report

    def _recheck(self, step: AnyStep) -> None:
        if self._journal is None or self.interrupted:
            return
        before = self._reports[step.name]
        if not holds(before.result):
            return
        report = self._attempt(step, fresh=True)
        # What held when it was looked at last is no worse for an interrupt.
        if isinstance(report.result, AlreadyInPlace) or report.result is INTERRUPTED_BEFORE:
            return
        notes = (*before.notes, "it no longer held at the end, and was tried again", *report.notes)
        risks = (*before.risks, *report.risks)
        self._finish(
            step,
            dataclasses.replace(report, observation=before.observation, notes=notes, risks=risks),
        )

    # -- release --

    def release(self, steps: Iterable[AnyStep]) -> list[StepReport]:
        """Undoes the recorded steps in reverse; what changed since is reported, not overwritten."""
        backwards = list(reversed(list(steps)))
        with self._interruption.heeded():
            for step in backwards:
                self._in_threads([step], self._release)
        owed = [step for step in backwards if self._to_undo(step.action)]
        return [
            *self._reports.values(),
            *(_abandoned(step) for step in owed if step.name not in self._reports),
        ]

    def _release(self, step: AnyStep) -> None:
        try:
            record = self._to_undo(step.action)
            if record or self._may_have_left(step.action):
                self._finish(step, self._undo(step.action, record or Undo()))
        finally:
            self._interruption.ended(step.name)

    def _to_undo(self, action: AnyAction) -> Undo | None:
        """The record of a step, with what the step before it saw of the same resources."""
        record = self._undo_record.get(action.name)
        earlier = self._undo_record.get(action.also_undoes)
        if earlier is None or not earlier.before:
            return record
        record = record or Undo()
        before = {**earlier.before, **record.before}
        return Undo(before, record.after, record.own - before.keys())

    def _may_have_left(self, action: AnyAction) -> bool:
        """Whether a state of a response's own is in place that this case's record does not know."""
        if not action.contains or type(action).is_own is Action.is_own:
            return False
        incident = self._for_step(action.name, fresh=True)
        try:
            now = action.observe(incident)
            return any(action.is_own(incident, name, state) for name, state in now.items())
        except Exception:
            return True  # what could not be seen is looked at again, and told, as a step

    def _undo(self, action: AnyAction, record: Undo) -> StepReport:
        started = journal.now()
        incident = self._for_step(action.name, fresh=True)
        now: Observation = {}
        with recording() as calls:
            try:
                if self.interrupted:
                    raise Skip("interrupted before it began")
                now = action.observe(incident)
                result = self._restore(action, incident, record, now, calls)
            except Skip as skip:
                result = Skipped(str(skip), skip.incomplete)
            except Exception as error:
                result = Failed(explain(error))
            return self._write_result(_report(action, incident, result, now, None, started), calls)

    def _restore(
        self,
        action: AnyAction,
        incident: Incident[Subject],
        record: Undo,
        now: Observation,
        calls: list[Call],
    ) -> Result:
        acts = self._journal is not None
        if acts and not self._interruption.may_act(action.name, even_now=False):
            return INTERRUPTED_BEFORE
        before = record.before
        # A record of an older version may hold a response's own state as the one before.
        own = {k for k in before if action.is_own(incident, k, before[k])}
        back = {k for k in before if action.restored(before[k], now.get(k))}
        drifted = {
            k
            for k in set(before) - back - own
            if k in record.after and not action.restored(record.after[k], now.get(k))
        }
        todo = {k: v for k, v in before.items() if k not in back | drifted | own}
        unknown: list[str] = []
        if action.cuts_off:
            unsaid = (own - back) | record.own | (set() if before else set(now))
            unknown = sorted(k for k in unsaid if k in now and action.is_own(incident, k, now[k]))
        if todo or unknown:
            self._leave_to_others(action, incident, todo)
        drift = "; ".join(f"{k} was changed since, and is left as it is" for k in sorted(drifted))
        if self._journal is None:
            lines = tuple(f"restores {k}" for k in todo)
            return Planned((*lines, drift) if drift else lines) if lines or drift else Done()
        left: list[str] = []
        if todo:
            self._journal.append(
                "undo", action.name, seen=now, restoring=todo, requests=_ids(calls)
            )
            action.undo(incident, todo)
            again = action.observe(self._refreshed(incident))
            left = [k for k in todo if not action.restored(before[k], again.get(k))]
        restored = sorted((back | set(todo) | (record.own - set(unknown))) - set(left))
        self._journal.append("undone", action.name, restored=restored, drift=sorted(drifted))
        if unknown:
            return Failed(
                f"still as a response left it: {', '.join(unknown)}; this case's record does not "
                "say what was there before (another case, or a run of another machine, may know: "
                "cordon case sync)"
            )
        if left:
            return Failed("not as it was before", tuple(left))
        if drift:
            return Skipped(drift, incomplete=True)
        return Done() if todo else AlreadyInPlace()

    def _leave_to_others(
        self, action: AnyAction, incident: Incident[Subject], todo: Observation
    ) -> None:
        """Skip while another case holds the target: looked up right before anything is restored."""
        if action.stays or action.collects:
            return
        others = self._holders()
        if not others or any(
            todo and all(action.belongs_to(other, state) for state in todo.values())
            for other in others
        ):
            return
        if todo and self._journal is not None:
            self.left_to = others[-1]
            action.hand_over(incident, todo, others[-1])
        raise Skip(f"left as it is, for case {others[-1]} holds it too", incomplete=bool(todo))

    # -- helpers --

    def _for_step(self, name: str, *, fresh: bool) -> Incident[Subject]:
        subject = self.incident.subject
        if fresh or not subject.is_fresh:
            subject = subject.afresh()
        first: dict[str, Observation] = {
            step: undo.before for step, undo in self._undo_record.items()
        }
        for step, report in list(self._reports.items()):
            first[step] = {**report.observation, **first.get(step, {})}
        known = first.pop(name, {})
        return dataclasses.replace(
            self.incident,
            subject=subject,
            known=known,
            earlier=first,
            evidence=GuardedEvidence(self.incident.evidence, self._interruption, name),
            notes=[],
            risks=[],
        )

    def _refreshed(
        self, incident: Incident[Subject], observation: Observation | None = None
    ) -> Incident[Subject]:
        return dataclasses.replace(
            incident,
            subject=incident.subject.afresh(),
            known={**(observation or {}), **incident.known},
        )


INTERRUPTED_BEFORE = Skipped("interrupted before it began")
"""The result of a step that had not begun to act when the user asked to stop."""


def _abandoned(step: AnyStep) -> StepReport:
    return StepReport(step.name, INTERRUPTED_BEFORE)


def _only_collects(action: AnyAction) -> bool:
    return action.collects and not action.writes_aws


def _patience(action: AnyAction) -> AbstractContextManager[None]:
    """For the looks of an action: a short wait, but for evidence, of which there may be much."""
    return nullcontext() if action.collects else hurried()


def _is_own(action: AnyAction, incident: Incident[Subject], resource: str, state: Any) -> bool:
    """Whether a response brought this state about; no, if that can't be learned.

    Nothing is left uncontained, or open, for this question: `release` asks it again.
    """
    try:
        return action.is_own(incident, resource, state)
    except Exception as error:
        incident.note(f"{resource}: not known if a response left it so: {explain(error)}")
        return False


def _changed(result: Result) -> bool:
    return isinstance(result, Done | Failed)


def _report(
    action: AnyAction,
    incident: Incident[Subject],
    result: Result,
    observation: Observation,
    now: Observation | None,
    started: str,
) -> StepReport:
    return StepReport(
        action.name,
        result,
        observation,
        now,
        tuple(dict.fromkeys(incident.notes)),
        tuple(dict.fromkeys(incident.risks)),
        started,
        journal.now(),
        time.monotonic(),
    )


def _ids(calls: list[Call]) -> list[dict[str, str]]:
    return [
        {
            "call": f"{call.service}:{call.operation}",
            "region": call.region,
            "request": call.request_id,
            "error": call.error,
        }
        for call in list(calls)
    ]
