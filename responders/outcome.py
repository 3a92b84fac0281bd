"""The outcome of a run: one document for people and machines, and the exit code that it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from responders.graph import AnyStep
from responders.result import AlreadyInPlace, Failed, Planned, Skipped, holds
from responders.runner import StepReport

SCHEMA = 1
DONE, NOT_CONTAINED, BAD_INPUT, INCOMPLETE, UNEXPECTED, INTERRUPTED = 0, 1, 2, 3, 4, 130
OPEN_LEADS = "open-leads"
"""The outcome of a key that is contained while the attacker can still act in another way."""
CONTAINED = ("contained", "already-contained", OPEN_LEADS)
"""Outcomes after which a target is contained."""


@dataclass(frozen=True)
class Evidence:
    """Where the evidence is, and whether all of it is there and in the vault."""

    local: str = ""
    vault: str = ""
    complete: bool = True
    trouble: str = ""
    interrupted: bool = False
    """Whether the user interrupted the wait for the vault."""


@dataclass(frozen=True)
class Report:
    """What a command did. `contained_after_s` is in seconds from the command's start."""

    case: str
    command: str
    run: str
    target: str
    account: str
    region: str
    outcome: str
    exit_code: int
    steps: Sequence[StepReport] = ()
    contained_after_s: float | None = None
    residual_risks: Sequence[str] = ()
    evidence: Evidence = field(default_factory=Evidence)
    not_hunted: str = ""
    """The command of the hunt that was not run; empty where one was, or where there is none."""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The document of `--json`."""
        return {
            "schema": SCHEMA,
            "case": self.case,
            "command": self.command,
            "run": self.run,
            "target": self.target,
            "account": self.account,
            "region": self.region,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "contained_after_s": self.contained_after_s,
            "steps": [step.as_json() for step in self.steps],
            "residual_risks": list(self.residual_risks),
            "evidence": {
                "local": self.evidence.local,
                "vault": self.evidence.vault,
                "complete": self.evidence.complete,
                "reason": self.evidence.trouble or None,
            },
            **({"not_hunted": self.not_hunted} if self.not_hunted else {}),
            **self.extra,
        }


@dataclass(frozen=True)
class Verdict:
    """The outcome's word and exit code."""

    outcome: str
    exit_code: int


def judge_response(
    graph: Sequence[AnyStep], reports: Sequence[StepReport], *, dry_run: bool, interrupted: bool
) -> Verdict:
    """Contained only if every step that contains holds now; any failure forbids exit 0."""
    contains = [r for s, r in zip(graph, reports, strict=True) if s.action.contains]
    failed = any(isinstance(r.result, Failed) for r in reports)
    unmet = any(isinstance(r.result, Skipped) and r.result.incomplete for r in reports)
    if dry_run:
        stuck = any(isinstance(r.result, Failed) for r in contains)
        return Verdict("planned", NOT_CONTAINED if stuck else INCOMPLETE if failed else DONE)
    contained = bool(contains) and all(holds(r.result) for r in contains)
    if interrupted:
        return Verdict("contained" if contained else "interrupted", INTERRUPTED)
    if not contained:
        return Verdict("not-contained", NOT_CONTAINED)
    already = all(isinstance(r.result, AlreadyInPlace) for r in contains)
    word = "already-contained" if already else "contained"
    return Verdict(word, INCOMPLETE if failed or unmet else DONE)


def judge_work(
    reports: Sequence[StepReport],
    *,
    done: str,
    undone: str,
    failed: int,
    dry_run: bool,
    interrupted: bool,
) -> Verdict:
    """For work that contains nothing: `done` only if no step failed and none is still to come.

    `done` and `undone` are the outcome's words; `failed` is the exit code when a step failed.
    """
    stuck = any(isinstance(r.result, Failed) for r in reports)
    unmet = any(isinstance(r.result, Skipped) and r.result.incomplete for r in reports)
    if dry_run:
        return Verdict("planned", failed if stuck else DONE)
    if interrupted:
        return Verdict("interrupted", INTERRUPTED)
    if stuck or unmet:
        return Verdict(undone, failed if stuck else INCOMPLETE)
    return Verdict(done, DONE)


def judge_release(reports: Sequence[StepReport], *, dry_run: bool, interrupted: bool) -> Verdict:
    """Released only if all that was recorded is as it was; drift makes it incomplete."""
    failed = any(isinstance(r.result, Failed) for r in reports)
    drift = any(isinstance(r.result, Skipped) and r.result.incomplete for r in reports)
    if interrupted:
        return Verdict("interrupted", INTERRUPTED)
    if failed:
        return Verdict("not-released", NOT_CONTAINED)
    if dry_run or any(isinstance(r.result, Planned) for r in reports):
        return Verdict("planned", DONE)
    return Verdict("released", INCOMPLETE if drift else DONE)
