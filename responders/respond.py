"""From a request to a report: opens the case, runs the playbook, closes the record."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from contract import VERSION
from responders.action import Incident, Options, Watch, unwatched
from responders.aws import Access, Aws, Identity, explain
from responders.errors import BadInput, CordonError, JournalError
from responders.locate import INSTANCE_ID, Located
from responders.other_case import refuse_if_held
from responders.outcome import (
    DONE,
    INCOMPLETE,
    Evidence,
    Report,
    Verdict,
    judge_release,
    judge_response,
)
from responders.playbooks import NAMES, playbook
from responders.record import vault
from responders.record.case import Case, Run, new_run, open_run
from responders.record.journal import Journal
from responders.record.vault import Mirror
from responders.record.verify import local_faults
from responders.result import Failed, Skipped, holds, reason_of, status_of
from responders.runner import Listener, Runner, Step, StepReport
from responders.scene import Scene

CALLER_WAIT = 5.0
"""Seconds that a response waits to know who calls, before it goes on without."""
VAULT_WAIT = 20.0
"""Seconds that a finished run waits for its last uploads; `cordon case sync` finishes the rest."""


@dataclass(frozen=True)
class Request:
    """What a command asks for. `responder` is a name for descriptions, not a credential."""

    command: str
    target: str
    case: str
    responder: str
    access: Access = field(default_factory=Access)
    options: Options = field(default_factory=Options)
    dry_run: bool = False
    watch: Watch = field(default=unwatched, compare=False)


class NoEvidence:
    """Takes the place of the evidence folder in a dry run; saving is a defect there."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def save(self, name: str, data: bytes) -> None:
        """Refuses: a dry run saves nothing."""
        raise JournalError(f"a dry run was about to save {name} ({len(data)} bytes)")

    def refer(self, key: str, size: int, sha256: str) -> None:
        """Refuses: a dry run writes nothing down."""
        raise JournalError(f"a dry run was about to list {key} ({size} bytes)")

    def names(self) -> frozenset[str]:
        """What the case has, so that the plan is true."""
        return self._case.evidence_names()


def respond(
    request: Request,
    tell: Listener = lambda _r: None,
    *,
    run: str = "",
    located: Located | None = None,
) -> Report:
    """Carries out a playbook; with `run`, goes on with one that did not finish.

    `located` is what an earlier run found; without it the playbook looks for the target.
    """
    clock = monotonic()
    case = Case(request.case)
    aws = Aws(request.access, case=case.id, read_only=request.dry_run)
    book = playbook(request.command)
    who = aws.spawn(lambda: aws.identity)
    located = located or book.locate(aws, request.target, request.access.region)
    book.check(aws, located, request.options, case)
    graph = book.steps(request.options)
    caller, doubt = _caller(who, aws, located)
    with _opened(request, case, aws, located, caller, run, tell) as session:
        reports = session.runner.respond(graph)
        judge = getattr(book, "judge", judge_response)
        verdict = judge(
            graph, reports, dry_run=request.dry_run, interrupted=session.runner.interrupted
        )
        held = {r.name: r.ended_at for r in reports if holds(r.result)}
        contains = [step.name for step in graph if step.action.contains]
        after = max((held[n] for n in contains if n in held), default=None)
        return session.close(
            verdict,
            reports,
            collecting={step.name for step in graph if step.action.collects},
            contained_after=after - clock if after and set(contains) <= set(held) else None,
            risks=[*doubt, *(f"region not searched: {line}" for line in located.trouble)],
        )


def _caller(
    asked: Future[Identity], aws: Aws, located: Located
) -> tuple[Identity, tuple[str, ...]]:
    """Who calls. An instance is not left uncontained for it: its owner will do, and is told."""
    try:
        return asked.result(CALLER_WAIT), ()
    except Exception as error:
        interfaces = located.scene.interfaces if located.scene else []
        account = located.account or next((str(i["OwnerId"]) for i in interfaces), "")
        if not account or not located.scene or isinstance(error, CordonError):
            raise
        told = f"who responded is not in the record, for STS does not say: {explain(error)}"
        return aws.presume(account, located.region), (told,)


def release(request: Request, tell: Listener = lambda _r: None, *, run: str = "") -> Report:
    """Restores what the case's record of the target says, and reports what changed since."""
    case = Case(request.case)
    begin = _responding_run(case, request.target).begin
    if faults := local_faults(case):
        raise JournalError(
            f"the record of case {case.id} does not verify, and nothing is restored from it: "
            + "; ".join(faults),
            "Look at `cordon case verify`; `cordon case sync` fetches the vault's copy.",
        )
    located = _recorded(begin)
    access = dataclasses.replace(request.access, region=request.access.region or located.region)
    aws = Aws(access, case=case.id, read_only=request.dry_run)
    if aws.identity.account != located.account:
        raise BadInput(
            f"{located.target} is in account {located.account}, and these credentials are for "
            f"{aws.identity.account}",
            "Use the credentials of the account that the case began in.",
        )
    if INSTANCE_ID.fullmatch(located.target):
        refuse_if_held(Scene(aws, located.region, located.target), case.id)
    request = dataclasses.replace(request, command="release", options=options_of(begin))
    graph = _all_steps(case, located.target)
    with _opened(request, case, aws, located, aws.identity, run, tell) as session:
        reports = session.runner.release(graph)
        verdict = judge_release(
            reports, dry_run=request.dry_run, interrupted=session.runner.interrupted
        )
        return session.close(verdict, reports)


def resume(request: Request, tell: Listener = lambda _r: None) -> list[Report]:
    """Goes on with every run of the case that did not finish, with the options it began with."""
    reports = []
    for run in Case(request.case).runs():
        begin = run.begin
        if not begin or run.end or begin.get("resumable") is False:
            continue
        again = dataclasses.replace(
            request,
            command=str(begin["command"]),
            target=str(begin["target"]),
            access=dataclasses.replace(request.access, region=str(begin["region"])),
            options=options_of(begin),
        )
        if again.command == "release":
            reports.append(release(again, tell, run=run.name))
        else:
            located = _recorded(begin) if begin.get("subject") else None
            reports.append(respond(again, tell, run=run.name, located=located))
    return reports


def options_of(begin: Mapping[str, Any]) -> Options:
    """The options that a run began with; those this version does not know are refused."""
    known = {f.name: f for f in dataclasses.fields(Options)}
    stored = dict(begin["options"])
    if unknown := set(stored) - set(known):
        raise BadInput(
            f"the run was begun by another version of cordon (options {', '.join(unknown)})",
            "Use that version to resume or release it.",
        )
    chosen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
    return Options(**chosen)


def _responding_run(case: Case, target: str) -> Run:
    """The newest run that responded to a target, by its id or as the user wrote it then."""
    runs = [r for r in reversed(case.runs()) if r.begin.get("command") in NAMES]
    found = [r for r in runs if r.begin.get("target") == target]
    found = found or [r for r in runs if r.begin.get("asked") == target]
    meant = sorted({str(r.begin["target"]) for r in found})
    if len(meant) > 1:
        raise BadInput(
            f"{target} means several targets in case {case.id}: {', '.join(meant)}", "Give one."
        )
    if found:
        return found[0]
    raise BadInput(
        f"case {case.id} has no record of {target} on this machine",
        "`cordon case list` shows the cases here; `cordon case sync --case "
        f"{case.id}` fetches a case from the vault.",
    )


def _recorded(begin: Mapping[str, Any]) -> Located:
    """The target as the run that began so had located it."""
    return Located(
        str(begin["region"]),
        str(begin["target"]),
        str(begin["account"]),
        subject=str(begin.get("subject", "")),
    )


def _all_steps(case: Case, target: str) -> list[Step]:
    """The steps of every run on a target, in their playbook's order: options add some."""
    merged: list[Step] = []
    for run in case.runs():
        begin = run.begin
        if begin.get("target") != target or begin.get("command") not in NAMES:
            continue
        place = 0
        for step in playbook(str(begin["command"])).steps(options_of(begin)):
            names = [known.name for known in merged]
            if step.name in names:
                place = names.index(step.name) + 1
            else:
                merged.insert(place, step)
                place += 1
    return merged


class _Session:
    """One run in the making: its incident and runner, and how to close its record."""

    def __init__(
        self, request: Request, runner: Runner, record: Journal | None, mirror: Mirror
    ) -> None:
        self.request, self.runner = request, runner
        self._record, self._mirror = record, mirror

    def close(
        self,
        verdict: Verdict,
        reports: Sequence[StepReport],
        *,
        collecting: Collection[str] = (),
        contained_after: float | None = None,
        risks: Sequence[str] = (),
    ) -> Report:
        """Journals the end, waits for the vault, and makes the report."""
        incident = self.runner.incident
        incomplete = [
            f"{r.name}: {reason_of(r.result)}"
            for r in reports
            if r.name in collecting
            and (
                isinstance(r.result, Failed)
                or (isinstance(r.result, Skipped) and r.result.incomplete)
            )
        ]
        incomplete += self._write_end(verdict, reports)
        if self._record and (not_sent := self._mirror.close(VAULT_WAIT)):
            incomplete.append(
                f"not in the vault yet: {not_sent} (cordon case sync --case "
                f"{incident.case} finishes it)"
            )
        code = verdict.exit_code
        if code == DONE and incomplete and self._record:
            code = INCOMPLETE
        told = [risk for r in reports for risk in r.risks]
        return Report(
            case=incident.case,
            command=self.request.command,
            run=incident.run,
            target=incident.target,
            account=incident.account,
            region=incident.region,
            outcome=verdict.outcome,
            exit_code=code,
            steps=reports,
            contained_after_s=None if contained_after is None else round(contained_after, 3),
            residual_risks=list(dict.fromkeys([*told, *risks])),
            evidence=self._evidence(incident, incomplete),
        )

    def _write_end(self, verdict: Verdict, reports: Sequence[StepReport]) -> list[str]:
        if self._record is None:
            return []
        kind = "interrupted" if self.runner.interrupted else "end"
        steps = {r.name: status_of(r.result) for r in reports}
        try:
            self._record.append(kind, outcome=verdict.outcome, steps=steps)
        except JournalError as error:
            return [error.message]
        return []

    def _evidence(self, incident: Incident, incomplete: list[str]) -> Evidence:
        if self._record is None:
            return Evidence(complete=False, trouble="a dry run collects nothing")
        place = f"cases/{incident.case}/{incident.run}/"
        return Evidence(
            local=str(self._record.folder.parent),
            vault=f"s3://{self._mirror.bucket}/{place}" if self._mirror.bucket else "",
            complete=not incomplete,
            trouble="; ".join(incomplete),
        )


@contextmanager
def _opened(
    request: Request,
    case: Case,
    aws: Aws,
    located: Located,
    who: Identity,
    run: str,
    tell: Listener,
) -> Iterator[_Session]:
    """Locks the case, begins or goes on with its journal, and gives the session."""
    mirror = Mirror(lambda: vault.find(aws, located.region))
    run = run or new_run()
    with nullcontext() if request.dry_run else case.locked(located.target):
        record: Journal | None = None
        evidence: Any = NoEvidence(case)
        if not request.dry_run:
            record, evidence = open_run(case, run, mirror)
            _begin(record, request, located, who, aws.clock_behind)
        incident = Incident(
            case=case.id,
            run=run,
            responder=request.responder,
            aws=aws,
            account=who.account,
            partition=who.partition,
            region=located.region,
            target=located.target,
            options=request.options,
            scene=located.scene or Scene(aws, located.region, located.target),
            evidence=evidence,
            started=_started(case, located.target),
            subject=located.subject,
            watch=request.watch,
        )
        undo = case.undo_record(located.target)
        yield _Session(request, Runner(incident, record, undo=undo, tell=tell), record, mirror)


def _begin(
    record: Journal, request: Request, located: Located, who: Identity, behind: timedelta
) -> None:
    record.caller = who.arn
    record.append(
        "resume" if record.entries else "begin",
        command=request.command,
        target=located.target,
        asked=request.target,
        subject=located.subject,
        account=who.account,
        region=located.region,
        responder=request.responder,
        options=dataclasses.asdict(request.options),
        kit=VERSION,
        host=platform.node(),
        clock_behind_s=behind.total_seconds(),
    )


def _started(case: Case, target: str) -> datetime:
    """When the first run on this target began, since its last release; now, if there is none.

    By AWS's clock where this machine's was behind it: a cut-off must not lie in the past.
    """
    started: datetime | None = None
    for run in case.runs():
        if run.begin.get("target") == target:
            if run.begin["command"] == "release":
                started = None
            elif started is None:
                behind = timedelta(seconds=float(run.begin.get("clock_behind_s", 0)))
                started = datetime.fromisoformat(str(run.begin["at"])) + behind
    return started or datetime.now(UTC)
