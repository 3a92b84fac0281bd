"""Runs actions as a graph, and owns everything around them.

For each step: observe, journal what was seen (on disk), act, look again, journal the result.
Steps that don't wait on each other run at the same time. No error stops a step that doesn't need
the failed one, and none ever undoes a change: only `release` does, from the record.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from responders.action import Action, Incident, Seen
from responders.aws import Call, explain, recording
from responders.errors import JournalError, Skip
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
from responders.scene import Scene

FRESH_FOR = 5.0
"""Seconds for which the first scene may serve first looks; later ones look anew."""


@dataclass(frozen=True)
class Step:
    """An action and its place in the graph.

    `after`: a step and the longest wait for it. None: starts once that one has ended, however it
    ended, and looks anew if it changed something. Seconds: starts once that one has acted, or so
    long after the response began. `needs`: runs only if these hold. Names that are not in the
    playbook don't count. `recheck`: looked at once more at the end, and done again if it no longer
    holds.
    """

    action: Action
    after: Mapping[str, float | None] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    recheck: bool = False

    @property
    def name(self) -> str:
        """The action's name."""
        return self.action.name


@dataclass(frozen=True)
class StepReport:
    """What became of one step, for the report and the journal."""

    name: str
    result: Result
    seen: Seen = field(default_factory=dict)
    now: Seen | None = None
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
            "seen": dict(self.seen),
            "started": self.started,
            "ended": self.ended,
        }


Listener = Callable[[StepReport], None]


class Runner:
    """Runs one playbook on one incident. Without a journal it is a dry run."""

    def __init__(
        self,
        incident: Incident,
        record: Journal | None,
        *,
        undo: Mapping[str, Undo] | None = None,
        tell: Listener = lambda _report: None,
    ) -> None:
        self.incident = incident
        self._journal = record
        self._record = undo or {}
        self._tell = tell
        self._ended: dict[str, threading.Event] = {}
        self._acted: dict[str, threading.Event] = {}
        self._began = time.monotonic()
        self._reports: dict[str, StepReport] = {}

    @property
    def interrupted(self) -> bool:
        """Whether the user asked to stop."""
        return self.incident.stopping.is_set()

    def respond(self, steps: Iterable[Step]) -> list[StepReport]:
        """Runs the graph and gives the reports in the playbook's order."""
        graph = list(steps)
        self._ended = {step.name: threading.Event() for step in graph}
        self._acted = {step.name: threading.Event() for step in graph}
        self._began = time.monotonic()
        self._in_threads(graph, self._run)
        self._in_threads([s for s in graph if s.recheck], self._recheck)
        return [self._reports[step.name] for step in graph]

    def _in_threads(self, steps: list[Step], work: Callable[[Step], None]) -> None:
        if not steps:
            return
        with ThreadPoolExecutor(len(steps), thread_name_prefix="step") as pool:
            futures = [pool.submit(work, step) for step in steps]
            while not all(future.done() for future in futures):
                try:
                    wait(futures)
                except KeyboardInterrupt:  # again and again: what is half done must be finished
                    self.incident.stopping.set()
        for future in futures:
            future.result()

    # -- one step --

    def _run(self, step: Step) -> None:
        try:
            self._finish(step, self._attempt(step, fresh=self._await(step)))
        finally:
            self._acted[step.name].set()
            self._ended[step.name].set()

    def _await(self, step: Step) -> bool:
        """Waits for the steps before; whether one that was waited out changed something."""
        stale = False
        for name, at_most in {**dict.fromkeys(step.needs), **step.after}.items():
            if name not in self._ended:
                continue
            if at_most is None:
                self._ended[name].wait()
                stale |= name in self._reports and _changed(self._reports[name].result)
            elif self._journal:
                self._acted[name].wait(max(0.0, self._began + at_most - time.monotonic()))
        return stale

    def _finish(self, step: Step, report: StepReport) -> None:
        self._reports[step.name] = report
        self._say(report)

    def _say(self, report: StepReport) -> None:
        try:
            self._tell(report)
        except OSError:
            # The terminal is gone. That must not stop a response, and the record has it all.
            self._tell = lambda _report: None

    def _attempt(self, step: Step, *, fresh: bool) -> StepReport:
        started = journal.now()
        incident = self._for_step(step.name, fresh=fresh)
        seen: Seen = {}
        now: Seen | None = None
        with recording() as calls:
            if self.interrupted:
                result: Result = Skipped("interrupted before it began")
            elif unmet := self._unmet(step):
                result = Skipped(f"needs {', '.join(unmet)}, which did not succeed", True)
            else:
                try:
                    seen = step.action.observe(incident)
                    lacks = step.action.lacks(incident, seen)
                except Skip as skip:
                    result = Skipped(str(skip), skip.incomplete)
                except Exception as error:
                    result = Failed(explain(error))
                else:
                    result, now = self._decide(step.action, incident, seen, lacks, calls)
            report = _report(step.action, incident, result, seen, now, started)
            return self._write_result(report, calls)

    def _unmet(self, step: Step) -> list[str]:
        if self._journal is None:
            return []
        return [n for n in step.needs if n in self._reports and not holds(self._reports[n].result)]

    def _decide(
        self,
        action: Action,
        incident: Incident,
        seen: Seen,
        lacks: tuple[str, ...],
        calls: list[Call],
    ) -> tuple[Result, Seen | None]:
        if not lacks:
            return AlreadyInPlace(), seen
        if self._journal is None:
            return Planned(lacks), None
        try:
            self._journal.append(
                "intend", action.name, seen=seen, lacks=lacks, requests=_ids(calls)
            )
        except JournalError as error:
            return Failed(error.message, lacks), None
        if action.announce:
            self._say(StepReport(action.name, Planned(lacks), seen))
        return self._act(action, incident, seen)

    def _act(self, action: Action, incident: Incident, seen: Seen) -> tuple[Result, Seen | None]:
        """Acts and looks again. What contains is tried once more on what that look found."""
        result, now = self._try(action, incident, seen)
        if isinstance(result, Failed) and action.contains and now is not None:
            return self._try(action, self._refreshed(incident, seen), now)
        return result, now

    def _try(self, action: Action, incident: Incident, seen: Seen) -> tuple[Result, Seen | None]:
        trouble = ""
        try:
            action.act(incident, seen)
        except Skip as skip:
            return Skipped(str(skip), skip.incomplete), None
        except Exception as error:
            trouble = explain(error)
        finally:
            self._acted[action.name].set()
        try:
            fresh = self._refreshed(incident, seen)
            now = action.observe(fresh)
            left = action.lacks(fresh, now)
        except Exception as error:
            unseen = f"could not be verified: {explain(error)}"
            return Failed("; ".join(filter(None, (trouble, unseen)))), None
        if left:
            return Failed(trouble or "it did not hold when looked at again", left), now
        return Done(f"holds, though a call failed: {trouble}" if trouble else ""), now

    def _write_result(self, report: StepReport, calls: list[Call]) -> StepReport:
        if self._journal is None:
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

    def _recheck(self, step: Step) -> None:
        before = self._reports[step.name]
        if self._journal is None or self.interrupted or not holds(before.result):
            return
        report = self._attempt(step, fresh=True)
        if isinstance(report.result, AlreadyInPlace):
            return
        notes = (*before.notes, "it no longer held at the end, and was tried again", *report.notes)
        risks = (*before.risks, *report.risks)
        self._finish(step, dataclasses.replace(report, seen=before.seen, notes=notes, risks=risks))

    # -- release --

    def release(self, steps: Iterable[Step]) -> list[StepReport]:
        """Undoes the recorded steps in reverse; what changed since is reported, not overwritten."""
        for step in reversed([s for s in steps if s.name in self._record]):
            self._finish(step, self._undo(step.action, self._record[step.name]))
        return list(self._reports.values())

    def _undo(self, action: Action, record: Undo) -> StepReport:
        started = journal.now()
        incident = self._for_step(action.name, fresh=True)
        now: Seen = {}
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
        self, action: Action, incident: Incident, record: Undo, now: Seen, calls: list[Call]
    ) -> Result:
        before = record.before
        back = {k for k in before if action.restored(before[k], now.get(k))}
        drifted = {
            k
            for k in set(before) - back
            if k in record.after and not action.restored(record.after[k], now.get(k))
        }
        todo = {k: v for k, v in before.items() if k not in back | drifted}
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
        restored = sorted((back | set(todo)) - set(left))
        self._journal.append("undone", action.name, restored=restored, drift=sorted(drifted))
        if left:
            return Failed("not as it was before", tuple(left))
        if drift:
            return Skipped(drift, incomplete=True)
        return Done() if todo else AlreadyInPlace()

    # -- helpers --

    def _for_step(self, name: str, *, fresh: bool) -> Incident:
        scene = self.incident.scene
        if fresh or time.monotonic() - scene.made > FRESH_FOR:
            scene = self._new_scene()
        first: dict[str, Seen] = {step: undo.before for step, undo in self._record.items()}
        for step, report in list(self._reports.items()):
            first[step] = {**report.seen, **first.get(step, {})}
        known = first.pop(name, {})
        return dataclasses.replace(
            self.incident, scene=scene, known=known, earlier=first, notes=[], risks=[]
        )

    def _refreshed(self, incident: Incident, seen: Seen | None = None) -> Incident:
        return dataclasses.replace(
            incident, scene=self._new_scene(), known={**(seen or {}), **incident.known}
        )

    def _new_scene(self) -> Scene:
        return Scene(self.incident.aws, self.incident.region, self.incident.target)


def _changed(result: Result) -> bool:
    return isinstance(result, Done | Failed)


def _report(
    action: Action, incident: Incident, result: Result, seen: Seen, now: Seen | None, started: str
) -> StepReport:
    return StepReport(
        action.name,
        result,
        seen,
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
