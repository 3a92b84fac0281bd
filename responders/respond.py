"""From a request to a report: opens the case, runs the playbook, closes the record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from responders.action import Evidence as EvidenceStore
from responders.action import Incident, Subject, Watch, unwatched
from responders.aws import UNKNOWN, Access, Aws, Identity
from responders.connection import hurried
from responders.errors import (
    BadInput,
    CordonError,
    InterruptedBeforeBeginning,
    JournalError,
    NotContained,
)
from responders.graph import AnyStep, Graph
from responders.holders import Holders
from responders.locate import Located
from responders.outcome import (
    DONE,
    INCOMPLETE,
    INTERRUPTED,
    Evidence,
    Report,
    Verdict,
    judge_release,
)
from responders.playbook import Options, Playbook, by_command, released_commands
from responders.record import vault
from responders.record.case import Case, Run, new_run
from responders.record.claims import Claims, Work, work_here
from responders.record.known_names import runs_of
from responders.record.opened_run import Beginning, OpenedRun
from responders.record.others import Presence, ask, fetch
from responders.record.run import is_response, unfinished
from responders.record.verify import local_copy
from responders.result import Failed, Skipped, holds, reason_of, status_of
from responders.runner import Listener, Runner, StepReport
from responders.trust.trust import Trust

RELEASE = "release"
"""The command that has no playbook of its own: it follows those of the runs that it undoes."""


@dataclass(frozen=True)
class Request:
    """What a command asks for. `responder` is a name for descriptions, not a credential.

    `options` None: the defaults of the command's playbook.
    """

    command: str
    target: str
    case: str
    responder: str
    access: Access = field(default_factory=Access)
    options: Options | None = None
    dry_run: bool = False
    watch: Watch = field(default=unwatched, compare=False)
    despite_claims: tuple[str, ...] = ()
    """Responders and cases whose claims on the target do not keep a release back."""


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
    listener: Listener = lambda _r: None,
    *,
    run: str = "",
    begin: Mapping[str, Any] | None = None,
) -> Report:
    """Carries out a playbook; with `run`, goes on with one that did not finish.

    `begin` is how that run began. An identity is taken from it as it was found then; an instance is
    looked for again, for it may be gone.
    """
    clock = monotonic()
    case = Case(request.case)
    with _nothing_done_yet(), hurried():
        aws = Aws(request.access, case=case.id, read_only=request.dry_run)
        playbook = by_command(request.command)
        options = request.options or playbook.options()
        aws.ask_caller()
        if begin and begin.get("subject"):
            located = playbook.recorded(aws, begin)
        else:
            located = _locate(playbook, aws, case, request)
        playbook.check(aws, located, options, case)
        graph = Graph(playbook.steps(options))
        caller = _caller(aws, located)
        beginning = _beginning(request, located, caller, aws, options, playbook)
        damage = [] if request.dry_run or run else _set_aside_damage(case)
    with _opened(request, case, aws, located, caller, beginning, run, listener) as session:
        reports = session.runner.respond(graph)
        verdict = playbook.judge(
            graph, reports, dry_run=request.dry_run, interrupted=session.runner.interrupted
        )
        if verdict.exit_code == DONE and aws.doubts:
            verdict = dataclasses.replace(verdict, exit_code=INCOMPLETE)
        ended = {r.name: r.ended_at for r in reports if holds(r.result)}
        contains = [step.name for step in graph if step.action.contains]
        after = max((ended[n] for n in contains if n in ended), default=None)
        hunt = "" if request.dry_run else playbook.hunt_command(located, options)
        return session.close(
            verdict,
            reports,
            not_hunted=f"{hunt} --case {case.id}" if hunt else "",
            collecting={step.name for step in graph if step.action.collects},
            contained_after=after - clock
            if after and verdict.outcome == "contained" and set(contains) <= set(ended)
            else None,
            risks=[
                *aws.doubts,
                *damage,
                *(f"region not searched: {line}" for line in located.trouble),
            ],
        )


@contextmanager
def _nothing_done_yet() -> Iterator[None]:
    """Until a run has begun there is nothing to resume: an interrupt says so."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise InterruptedBeforeBeginning from error


def _set_aside_damage(case: Case) -> list[str]:
    """What was damaged in the case's record: no reason not to contain, and told, a line each."""
    try:
        return case.mend()
    except OSError as error:
        return [f"the damaged record of case {case.id} could not be set aside: {error}"]


def _caller(aws: Aws, located: Located[Subject]) -> Identity:
    """Who calls. Nothing is left uncontained for it: the target's account will do, and is told."""
    if who := aws.identity_soon():
        return who
    return aws.presume(located.account or located.subject.account() or UNKNOWN, located.region)


def release(request: Request, listener: Listener = lambda _r: None, *, run: str = "") -> Report:
    """Restores what the case's record of the target says, and reports what changed since.

    What other machines did in the case is fetched first. While another case holds the target,
    nothing is restored but the tags, which then say so.
    """
    case = Case(request.case)
    with _nothing_done_yet():
        aws = _access_to(request, case)
        trouble = _fetch_runs(aws, case)
        begin = _responding_run(case, request.target, trouble).begin
        doubts = _doubts(case, trouble)
        playbook = by_command(str(begin["command"]))
        located = playbook.recorded(aws, begin)
        if aws.identity.account != located.account:
            raise BadInput(
                f"{located.target} is in account {located.account}, and these credentials are for "
                f"{aws.identity.account}",
                "Use the credentials of the account that the case began in.",
            )
        if playbook.other_holder(located.subject, case.id) not in request.despite_claims:
            playbook.check_release(located, case)
        holders = Holders(
            case.id, aws, playbook, located, request.responder, request.despite_claims
        )
        doubts += holders.refuse_if_at_work()
        graph = _all_steps(case, located.target)
        options = playbook.from_journal(begin)
        request = dataclasses.replace(request, command=RELEASE)
        beginning = _beginning(request, located, aws.identity, aws, options, playbook)
    with _opened(
        request, case, aws, located, aws.identity, beginning, run, listener, holders.others
    ) as session:
        reports = session.runner.release(graph)
        verdict = judge_release(
            reports, dry_run=request.dry_run, interrupted=session.runner.interrupted
        )
        if session.runner.left_to and verdict.outcome == "released":
            verdict = Verdict("still-held", INCOMPLETE)
        if session.runner.left_to:
            doubts.append(holders.how_to_go_on(session.runner.left_to))
        if verdict.exit_code == DONE and doubts and not request.dry_run:
            verdict = dataclasses.replace(verdict, exit_code=INCOMPLETE)
        return session.close(verdict, reports, risks=doubts)


def _access_to(request: Request, case: Case) -> Aws:
    """AWS as a case needs it: in the region where it began, unless another one is given."""
    recorded = next((str(run.begin["region"]) for run in case.runs() if run.begin), "")
    access = dataclasses.replace(request.access, region=request.access.region or recorded or None)
    return Aws(access, case=case.id, read_only=request.dry_run)


def _fetch_runs(aws: Aws, case: Case) -> str:
    """Fetches what other machines wrote down in a case; gives the reason when it can't."""
    return fetch(case, lambda: vault.find(aws, aws.home_region))


def _doubts(case: Case, trouble: str) -> list[str]:
    """What makes a release from this record doubtful, a line each; JournalError for damage."""
    copy = local_copy(case)
    if faults := [*copy.journals, *case.risks()]:
        raise JournalError(
            f"the record of case {case.id} does not verify, and nothing is restored from it: "
            + "; ".join(faults),
            "Look at `cordon case verify`; `cordon case sync` fetches the vault's copy.",
        )
    if trouble:
        return [f"what other machines did in this case is not known: {trouble}", *copy.forks]
    return copy.forks


def resume(request: Request, listener: Listener = lambda _r: None) -> list[Report]:
    """Goes on with every run of the case that did not finish, with the options it began with."""
    case = Case(request.case)
    trouble = _fetch_runs(_access_to(request, case), case)
    if not any(run.begin for run in case.runs()):
        raise BadInput(
            f"case {case.id} has no run to resume, so nothing was changed in it"
            + (f"; {trouble}" if trouble else ""),
            "Check the id with `cordon case list`. To contain, run the response (again).",
        )
    reports: list[Report] = []
    refused: list[CordonError] = []
    for run in unfinished(case.runs()):
        try:
            _refuse_if_at_work(request, case, run)
            reports.append(_go_on(request, run, listener))
        except (JournalError, RunAtWork) as error:  # the other runs are gone on with all the same
            refused.append(error)
    if refused:
        raise refused[0]
    return reports


class RunAtWork(BadInput):
    """Another machine carries a run out at this moment: two would write one record."""


def _refuse_if_at_work(request: Request, case: Case, run: Run) -> None:
    """RunAtWork while the machine that began a run still claims its target for it.

    A vault that does not answer keeps nobody from going on.
    """
    mine = work_here(case.id, run.name, request.responder)

    def owners() -> list[Work]:
        aws = _access_to(request, case)
        bucket = vault.find(aws, str(run.begin["region"]))
        if bucket is None:
            return []
        claims = Claims(bucket, str(run.begin["account"]), run.target)
        return [work for work in claims.read().others(mine) if work.run == run.name]

    for work in ask(owners).value or ():
        raise RunAtWork(
            f"run {run.name} goes on at this moment: {work}; it was not resumed",
            "Wait for it to end, or until then if that machine has died. To contain now, run the "
            "response again: it begins a run of its own.",
        )


def _go_on(request: Request, run: Run, listener: Listener) -> Report:
    begin = run.begin
    again = dataclasses.replace(
        request,
        command=str(begin["command"]),
        target=run.target,
        access=dataclasses.replace(request.access, region=str(begin["region"]) or None),
    )
    if again.command == RELEASE:
        again = dataclasses.replace(
            again, despite_claims=tuple(map(str, begin.get("despite_claims", ())))
        )
        return release(again, listener, run=run.name)
    options = by_command(again.command).from_journal(begin)
    again = dataclasses.replace(again, options=options)
    return respond(again, listener, run=run.name, begin=begin)


def _locate(
    playbook: Playbook[Any, Any], aws: Aws, case: Case, request: Request
) -> Located[Subject]:
    """Finds the target by what AWS says now, or else by what the case's record calls it.

    Containment takes public addresses away: then only the record knows whose they were. BadInput
    when both know the name, and mean different targets by it: an address may be on another instance
    by now, and nobody but the user knows which of the two is meant.
    """
    region = request.access.region
    try:
        located: Located[Subject] = playbook.locate(aws, request.target, region)
    except (BadInput, NotContained):
        recorded = runs_of(case.runs(), request.target, (request.command,))
        if len(recorded) != 1 or request.target in recorded:
            raise
        [(target, run)] = recorded.items()
        return playbook.locate(aws, target, region or str(run.begin["region"]))
    if located.target != request.target:
        recorded = runs_of(case.runs(), request.target, (request.command,))
        if recorded and located.target not in recorded:
            raise BadInput(
                f"{request.target} was {', '.join(sorted(recorded))} in case {case.id}, and is "
                f"{located.target} now; nothing was touched",
                "Give the id of the one that you mean.",
            )
    return located


def _responding_run(case: Case, target: str, trouble: str) -> Run:
    """The newest run that responded to a target, by its id or by any name the record has of it."""
    recorded = runs_of(case.runs(), target, released_commands())
    if len(recorded) > 1:
        raise BadInput(
            f"{target} means several targets in case {case.id}: {', '.join(sorted(recorded))}",
            "Give one of them.",
        )
    for run in recorded.values():
        return run
    raise BadInput(
        f"case {case.id} has no record of {target} on this machine"
        + (f", and {trouble}" if trouble else " or in the vault"),
        "`cordon case list` shows the cases here; `cordon case sync --case "
        f"{case.id}` fetches a case from the vault.",
    )


def _all_steps(case: Case, target: str) -> Graph:
    """The steps of every run on a target, in their playbook's order: options add some.

    Of a step that several runs had, the newest run's settings count.
    """
    merged: list[AnyStep] = []
    commands = released_commands()
    for run in case.runs():
        begin = run.begin
        if begin.get("target") != target or begin.get("command") not in commands:
            continue
        playbook = by_command(str(begin["command"]))
        position = 0
        for step in playbook.steps(playbook.from_journal(begin)):
            names = [known.name for known in merged]
            if step.name in names:
                position = names.index(step.name)
                merged[position] = step
            else:
                merged.insert(position, step)
            position += 1
    return Graph(merged)


class _Session:
    """One run in the making: its runner, and how to close its record (None: a dry run)."""

    def __init__(
        self,
        request: Request,
        runner: Runner,
        record: OpenedRun | None,
        presence: Presence | None,
    ) -> None:
        self.request, self.runner = request, runner
        self._record, self._presence = record, presence

    def close(
        self,
        verdict: Verdict,
        reports: Sequence[StepReport],
        *,
        collecting: Collection[str] = (),
        contained_after: float | None = None,
        risks: Sequence[str] = (),
        not_hunted: str = "",
    ) -> Report:
        """Journals the end, waits for the vault, and makes the report.

        `not_hunted` is the command that finds what else was done with the target.
        """
        incident = self.runner.incident
        if self._record and self._presence:
            released = verdict.outcome in ("released", "still-held")
            self._presence.leave(self._record.mirror, released=released)
        evidence = self._evidence(verdict, reports, collecting)
        others = self._presence.others if self._presence else ()
        code = verdict.exit_code
        if code == DONE and self._record and not evidence.complete:
            code = INCOMPLETE
        if evidence.interrupted:
            code = INTERRUPTED
        of_steps = [risk for r in reports for risk in r.risks]
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
            residual_risks=list(dict.fromkeys([*of_steps, *risks, *others])),
            evidence=evidence,
            not_hunted=not_hunted,
        )

    def _evidence(
        self, verdict: Verdict, reports: Sequence[StepReport], collecting: Collection[str]
    ) -> Evidence:
        if self._record is None:
            return Evidence(complete=False, trouble="a dry run collects nothing")
        return self._record.close(
            verdict.outcome,
            steps={r.name: status_of(r.result) for r in reports},
            missing=[
                f"{r.name}: {reason_of(r.result)}"
                for r in reports
                if r.name in collecting and _lacks_evidence(r)
            ],
            interrupted=self.runner.interrupted,
        )


def _lacks_evidence(report: StepReport) -> bool:
    result = report.result
    return isinstance(result, Failed) or (isinstance(result, Skipped) and result.incomplete)


def _beginning(
    request: Request,
    located: Located[Subject],
    caller: Identity,
    aws: Aws,
    options: Options,
    playbook: Playbook[Subject, Options],
) -> Beginning:
    return Beginning(
        command=request.command,
        target=located.target,
        asked=request.target,
        subject=located.subject.as_recorded(),
        names=located.subject.names(),
        account=caller.account,
        region=located.region,
        responder=request.responder,
        options=dataclasses.asdict(options),
        options_schema=playbook.schema,
        despite_claims=request.despite_claims,
        resumable=request.command == RELEASE or playbook.is_resumed,
        clock_behind_s=aws.clock_behind.total_seconds(),
    )


@contextmanager
def _opened(
    request: Request,
    case: Case,
    aws: Aws,
    located: Located[Subject],
    caller: Identity,
    beginning: Beginning,
    run: str,
    listener: Listener,
    holders: Callable[[], tuple[str, ...]] = tuple,
) -> Iterator[_Session]:
    """Locks the case, begins or goes on with its journal, and gives the session."""
    trust = located.prepared or Trust(aws, located.region)
    with nullcontext() if request.dry_run else case.locked(located.target):
        record: OpenedRun | None = None
        presence: Presence | None = None
        evidence: EvidenceStore = NoEvidence(case)
        if not request.dry_run:
            record = OpenedRun(case, lambda: vault.find(aws, located.region, trust), run=run)
            evidence = record.evidence
            record.begin(beginning, caller.arn)
            if is_response(beginning.command):
                mine = work_here(case.id, record.run, request.responder)
                presence = Presence(case, caller.account, located.target, mine)
                presence.announce(record.mirror, record.journal)
        incident = Incident(
            case=case.id,
            run=record.run if record else run or new_run(),
            responder=request.responder,
            aws=aws,
            account=caller.account,
            partition=caller.partition,
            region=located.region,
            target=located.target,
            subject=located.subject,
            prepared=trust,
            evidence=evidence,
            started=_started(case, located.target),
            watch=request.watch,
        )
        undo = case.undo_record(located.target)
        journal = record.journal if record else None
        runner = Runner(incident, journal, undo=undo, listener=listener, holders=holders)
        yield _Session(request, runner, record, presence)


def _started(case: Case, target: str) -> datetime:
    """When the first run on this target began, since its last release; now, if there is none.

    By AWS's clock where this machine's was behind it: a cut-off must not lie in the past.
    """
    started: datetime | None = None
    for run in case.runs():
        if run.begin.get("target") == target:
            if run.begin["command"] == RELEASE:
                started = None
            elif started is None:
                behind = timedelta(seconds=float(run.begin.get("clock_behind_s", 0)))
                started = datetime.fromisoformat(str(run.begin["at"])) + behind
    return started or datetime.now(UTC)
