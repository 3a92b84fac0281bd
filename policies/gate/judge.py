"""Whether the program passes: every way in which Checkov passes in silence is a fault here."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from policies.bridge.plan import Plan
from policies.gate.ask import Report, Verdict
from policies.gate.waivers import Waiver

OTHER_POLICIES = (".yaml", ".yml", ".json")
"""Policies of a kind that Checkov knows and that is not loaded here."""


@dataclass(frozen=True)
class Outcome:
    """`faults`: why the run can't be believed. `waived` pairs failures with what accepts them."""

    faults: tuple[str, ...]
    failed: tuple[Verdict, ...]
    waived: tuple[tuple[Verdict, Waiver], ...]
    passed: tuple[Verdict, ...]

    @property
    def good(self) -> bool:
        """Whether everything was judged, and nothing failed that isn't waived."""
        return not self.faults and not self.failed


@dataclass(frozen=True)
class Case:
    """What is to be judged. `only`: the checks asked for, empty for all.

    `partial`: the plans need not have something for each of our own policies to judge.
    """

    plans: Sequence[Plan]
    report: Report
    folder: Path
    waivers: Sequence[Waiver]
    today: datetime.date
    only: frozenset[str] = frozenset()
    partial: bool = False
    expected: frozenset[str] = frozenset()
    """Checks that judged something before, and must again."""


def judge(case: Case) -> Outcome:
    """The outcome of one run."""
    verdicts = [v for v in case.report.verdicts if not case.only or v.check in case.only]
    failures = [v for v in verdicts if v.result == "failed"]
    valid = [w for w in case.waivers if not list(_wrong(w, case))]
    waived = [(v, w) for v in failures if (w := _waiver(v, valid)) is not None]
    accepted = {id(verdict) for verdict, _ in waived}
    return Outcome(
        faults=(*_run_faults(case), *_waiver_faults(case, failures)),
        failed=tuple(v for v in failures if id(v) not in accepted),
        waived=tuple(waived),
        passed=tuple(v for v in verdicts if v.result == "passed"),
    )


def _waiver(verdict: Verdict, waivers: Sequence[Waiver]) -> Waiver | None:
    return next((waiver for waiver in waivers if waiver.covers(verdict)), None)


def _run_faults(case: Case) -> Iterator[str]:
    report = case.report
    yield from (f"Checkov could not read {file}" for file in report.parsing_errors)
    yield from (f"Checkov said: {line}" for line in report.errors)
    if not case.plans:
        yield "there is no plan to judge"
    for plan in case.plans:
        yield from _count_faults(plan, report)
    for verdict in report.verdicts:
        if verdict.result == "skipped":
            yield f"{verdict.check} was skipped for {verdict.address}: use a waiver"
    yield from _policy_faults(case)
    judged = {verdict.check for verdict in report.verdicts}
    for check in sorted(case.expected - judged):
        reason = "judges nothing any more" if check in report.known else "is gone from Checkov"
        yield f"{check} {reason}: look why, and take it off the list only if that is right"
    for check in sorted(case.only - report.known):
        yield f"there is no check {check}: correct the id"


def _count_faults(plan: Plan, report: Report) -> Iterator[str]:
    declared, scanned = set(plan.declared), report.resources.get(plan.stack, frozenset())
    if not declared:
        yield f"the stack {plan.stack} declares no resources"
    for address in sorted(declared - scanned):
        yield f"Checkov did not see {address} of the stack {plan.stack}"
    for address in sorted(scanned - declared):
        yield f"Checkov saw {address}, which the stack {plan.stack} does not declare"


def _policy_faults(case: Case) -> Iterator[str]:
    """Each file of the folder has registered one policy, and the policy has judged something."""
    if not (case.folder / "__init__.py").exists():
        yield f"{case.folder} has no __init__.py, so Checkov loads nothing from it"
    files = sorted(file for file in case.folder.rglob("*") if not file.name.startswith("__"))
    policies = [file for file in files if file.suffix == ".py"]
    for file in files:
        if file.suffix in OTHER_POLICIES:
            yield f"{file.name} is not loaded: policies here are Python files"
    for file in policies:
        yield from _file_faults(file, case)
    judged = {v.check for v in case.report.verdicts}
    for file in policies:
        for check in case.report.registered.get(file.name, ()):
            due = not case.partial and (not case.only or check in case.only)
            if due and check not in judged:
                yield f"{check} ({file.name}) judged no resource at all"


def _file_faults(file: Path, case: Case) -> Iterator[str]:
    checks = case.report.registered.get(file.name, ())
    if len(checks) != 1:
        yield f"{file.name} registered {len(checks)} checks, it should register one"
    twice = [
        other
        for other, ids in case.report.registered.items()
        if other != file.name and set(ids) & set(checks)
    ]
    for other in twice:
        yield f"{file.name} and {other} have the same id {checks[0]}"


def _waiver_faults(case: Case, failures: Sequence[Verdict]) -> Iterator[str]:
    for waiver in case.waivers:
        yield from _wrong(waiver, case)
        if case.only and waiver.check not in case.only:
            continue
        if not any(waiver.covers(verdict) for verdict in failures) and not case.partial:
            yield f"{waiver} is not used: remove it"


def _wrong(waiver: Waiver, case: Case) -> Iterator[str]:
    if waiver.check not in case.report.known:
        yield f"{waiver} is of no check that exists: correct the id"
    if len(waiver.reason.split()) < 3:
        yield f"{waiver} gives no reason: say why the failure is accepted"
    if waiver.expires < case.today:
        yield f"{waiver} expired on {waiver.expires}: mend the cause, or review and renew it"
