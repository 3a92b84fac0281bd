"""A rehearsal: the same steps as in an incident, measured, and what would have gone wrong.

Nothing is changed, unless the target carries the tag `cordon:drill=true`. Then it is contained for
real, contained again (which must change nothing), released, and the record is proven.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Any

from contract import RESPONDER_ROLE, TAG_CASE, TAG_DRILL, TAG_STATUS, Status
from responders import readiness
from responders.aws import Access, Aws, explain
from responders.errors import BadInput, CordonError
from responders.identity.principal import Principal
from responders.locate import Located, locate
from responders.outcome import DONE, INCOMPLETE, INTERRUPTED, NOT_CONTAINED, Evidence, Report
from responders.playbooks.instance import InstanceOptions
from responders.record import vault
from responders.record.case import Case
from responders.record.journal import canonical
from responders.record.opened_run import PATIENT_WAIT
from responders.record.reading import open_reading
from responders.record.verify import local_faults, vault_faults
from responders.respond import Request, release, respond
from responders.result import reason_of, status_of
from responders.runner import Listener, StepReport
from responders.scene import Scene

SNAPSHOT_LOCK_DAYS = 1
"""A drill's snapshots are evidence of nothing."""


@dataclass(frozen=True)
class DrillRequest:
    """What to rehearse. `target` may be empty: only readiness. Times are seconds.

    `within`: the containment must take no longer. `dry_run`: change nothing, whatever the tag says.
    """

    target: str
    case: str
    responder: str
    access: Access = field(default_factory=Access)
    options: InstanceOptions = field(default_factory=InstanceOptions)
    within: float | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Phase:
    """One part of a drill: how it ended, and how long it and its steps took (seconds)."""

    name: str
    outcome: str
    seconds: float
    steps: Sequence[Mapping[str, Any]] = ()

    def as_json(self) -> dict[str, Any]:
        """The phase as the JSON document shows it."""
        return {
            "name": self.name,
            "outcome": self.outcome,
            "seconds": self.seconds,
            "steps": list(self.steps),
        }


Hear = Callable[[Phase], None]


def drill(
    request: DrillRequest, hear: Hear = lambda _p: None, listener: Listener = lambda _r: None
) -> Report:
    """Rehearses. The outcome is `passed`, `findings` (exit 3), `failed` (exit 1), or interrupted.

    BadInput when the case or the target is in use by a real response.
    """
    return _Drill(request, hear, listener).run()


class _Drill:
    """One drill in the making."""

    def __init__(self, request: DrillRequest, hear: Hear, listener: Listener) -> None:
        self.request, self._hear, self._listener = request, hear, listener
        self.case = Case(request.case)
        self.aws = Aws(request.access, case=self.case.id, read_only=True)
        self.phases: list[Phase] = []
        self.failures: list[str] = []
        """What would have left the target uncontained, or left it contained now."""
        self.findings: list[str] = []
        self.notes: list[str] = []
        self.contained: Report | None = None
        self.interrupted = False

    def run(self) -> Report:
        """All phases, then the report."""
        located = self._find() if self.request.target else None
        live = located is not None and self._is_live(located)
        self._ready([located.region] if located else list(self.aws.regions))
        if located is None:
            self.notes.append("no --target was given, so only readiness was looked at")
            return self._report(None, Evidence(complete=False, trouble="nothing was recorded"))
        self._plan(located)
        if not live:
            return self._report(located, Evidence(complete=False, trouble="nothing was recorded"))
        try:
            self._contain(located)
        finally:
            self._release(located)
        self._prove(located)
        return self._recorded(located)

    # -- phases --

    def _find(self) -> Located[Scene]:
        began = monotonic()
        located = locate(self.aws, self.request.target, self.request.access.region)
        self.findings += [f"not searched: {line}" for line in located.trouble]
        self._add("find", "found", began)
        return located

    def _is_live(self, located: Located[Scene]) -> bool:
        """Whether the target may be contained for real; BadInput when it is in use."""
        scene = located.subject
        tags = {t["Key"]: t["Value"] for t in scene.instance.get("Tags", ())}
        if tags.get(TAG_STATUS) == Status.QUARANTINED:
            raise BadInput(
                f"{located.target} is quarantined in case {tags.get(TAG_CASE)}: it is no target "
                "for a drill",
                "Choose another instance.",
            )
        if self.case.undo_record(located.target):
            raise BadInput(
                f"case {self.case.id} holds a response to {located.target} that was not released",
                "Give the drill a case of its own.",
            )
        if tags.get(TAG_DRILL) != "true":
            self.notes.append(
                f"nothing was changed: {located.target} does not carry the tag {TAG_DRILL}=true, "
                "which lets a drill contain it for real"
            )
            return False
        if self.request.dry_run:
            return False
        own = Principal.of_arn(self.aws.identity.arn)
        if scene.instance.get("IamInstanceProfile") and own and own.name == RESPONDER_ROLE:
            raise BadInput(
                f"{located.target} has an instance profile, and the responder role may not give it "
                "back when the drill is over",
                "Choose an instance without one, or use credentials that may pass its role.",
            )
        return True

    def _ready(self, regions: list[str]) -> None:
        began = monotonic()
        found = readiness.audit(self.aws, regions)
        bad = [f for f in found if f.status in (readiness.FAIL, readiness.UNKNOWN)]
        self.findings += [
            f"{f.id} in {f.region}{f' {f.vpc}' if f.vpc else ''}: {f.detail}. {f.fix}" for f in bad
        ]
        if not any(f.status == readiness.OK for f in found):
            self.failures.append("nothing is prepared here")
        self._add("ready", "not-ready" if bad else "ready", began)

    def _plan(self, located: Located[Scene]) -> None:
        began = monotonic()
        report = respond(self._request(located, dry_run=True), self._listener)
        self._judge("plan", report, ok="planned")
        self._add("plan", report.outcome, began, report.steps)

    def _contain(self, located: Located[Scene]) -> None:
        began = monotonic()
        self.contained = respond(self._request(located), self._listener)
        self._judge("contain", self.contained, ok="contained")
        self._add("contain", self.contained.outcome, began, self.contained.steps)
        after, within = self.contained.contained_after_s, self.request.within
        if after is not None and within is not None and after > within:
            self.findings.append(f"contained after {after:.1f} s, and not within {within:.1f} s")
        if self.interrupted:
            return
        began = monotonic()
        again = respond(self._request(located), self._listener)
        self._judge("again", again, ok="already-contained")
        changed = [s.name for s in again.steps if status_of(s.result) == "done"]
        if changed:
            self.findings.append(f"a second run changed something: {', '.join(changed)}")
        self._add("again", again.outcome, began, again.steps)

    def _release(self, located: Located[Scene]) -> None:
        """Puts everything back. It is a failure when anything stays."""
        if not self.case.undo_record(located.target):
            return
        began = monotonic()
        command = f"`cordon release {located.target} --case {self.case.id}`"
        try:
            report = release(self._request(located), self._listener)
        except CordonError as error:
            self.failures.append(f"still contained: {error.message}; try {command}")
            self._add("release", "not-released", began)
            return
        self._judge("release", report, ok="released", advice=f"; try {command}")
        self._add("release", report.outcome, began, report.steps)

    def _prove(self, located: Located[Scene]) -> None:
        began = monotonic()
        faults = local_faults(self.case)
        try:
            found = vault.find(self.aws, located.region)
            faults += (
                vault_faults(self.case, found) if found else ["there is no vault to compare with"]
            )
        except Exception as error:
            faults.append(f"the vault can't be read: {explain(error)}")
        self.findings += [f"the record: {line}" for line in faults]
        self._add("prove", "faults" if faults else "verified", began)

    # -- below --

    def _request(self, located: Located[Scene], *, dry_run: bool = False) -> Request:
        return Request(
            "instance",
            located.target,
            self.case.id,
            self.request.responder,
            replace(self.request.access, region=located.region),
            self.request.options,
            dry_run,
        )

    def _judge(self, name: str, report: Report, *, ok: str, advice: str = "") -> None:
        lines = [
            f"{name}: {s.name}: {reason_of(s.result)}{advice}"
            for s in report.steps
            if status_of(s.result) == "failed"
        ]
        if report.exit_code == INTERRUPTED:
            self.interrupted = True
        if report.exit_code == NOT_CONTAINED or (report.outcome != ok and not self.interrupted):
            self.failures += lines or [f"{name}: {report.outcome}{advice}"]
        else:
            self.findings += lines
        if report.exit_code == INCOMPLETE and report.evidence.trouble and ok != "planned":
            self.findings.append(f"{name}: evidence: {report.evidence.trouble}")

    def _add(self, name: str, outcome: str, began: float, steps: Sequence[StepReport] = ()) -> None:
        phase = Phase(
            name, outcome, round(monotonic() - began, 3), [_measured(step) for step in steps]
        )
        self.phases.append(phase)
        self._hear(phase)

    def _verdict(self) -> tuple[str, int]:
        if self.interrupted:
            return "interrupted", INTERRUPTED
        if self.failures:
            return "failed", NOT_CONTAINED
        return ("findings", INCOMPLETE) if self.findings else ("passed", DONE)

    def _extra(self) -> dict[str, Any]:
        return {
            "live": self.contained is not None,
            "phases": [phase.as_json() for phase in self.phases],
            "failures": self.failures,
            "findings": list(dict.fromkeys(self.findings)),
            "notes": self.notes,
        }

    def _recorded(self, located: Located[Scene]) -> Report:
        """Keeps the measurements in the case, so that drills can be compared."""
        aws = Aws(replace(self.request.access, region=located.region), case=self.case.id)
        record = open_reading(aws, self.case.id, "drill", located.target, self.request.responder)
        record.evidence.save("drill/report.json", canonical(self._extra()))
        evidence = record.close(self._verdict()[0], wait=PATIENT_WAIT)
        if not evidence.complete:
            self.findings.append(f"evidence: {evidence.trouble}")
        return self._report(located, evidence)

    def _report(self, located: Located[Scene] | None, evidence: Evidence) -> Report:
        outcome, code = self._verdict()
        return Report(
            case=self.case.id,
            command="drill",
            run="",
            target=located.target if located else "",
            account=self.aws.identity.account,
            region=located.region if located else "",
            outcome=outcome,
            exit_code=code,
            contained_after_s=self.contained.contained_after_s if self.contained else None,
            residual_risks=self.contained.residual_risks if self.contained else (),
            evidence=evidence,
            extra=self._extra(),
        )


def _measured(step: StepReport) -> dict[str, Any]:
    took = (_moment(step.ended) - _moment(step.started)).total_seconds()
    return {
        "name": step.name,
        "status": status_of(step.result),
        "seconds": round(took, 3),
        "reason": reason_of(step.result),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
