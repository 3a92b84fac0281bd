"""The outcome as a table: one line for each check and line of the program that fails it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policies.bridge.plan import Plan
from policies.gate.ask import Verdict
from policies.gate.judge import Outcome

HEADS = ("", "CHECK", "DECLARED AT", "RESOURCE", "RULE")
Places = Mapping[tuple[str, str], str]
"""Stack and address to `file:line` of the program."""


def places(plans: Iterable[Plan]) -> Places:
    """Where each resource of the plans is declared; its URN where the line is not known."""
    return {
        (plan.stack, address): (
            f"{resource.source.file}:{resource.source.line}" if resource.source else resource.urn
        )
        for plan in plans
        for address, resource in plan.declared.items()
    }


def table(outcome: Outcome, where: Places) -> Iterator[str]:
    """The table's lines, then what can't be believed, then the count."""
    rows = [
        *_rows("FAIL", outcome.failed, where),
        *_rows("waived", (verdict for verdict, _ in outcome.waived), where),
    ]
    if rows:
        yield from _aligned([HEADS, *rows])
    for fault in outcome.faults:
        yield f"FAULT   {fault}"
    yield (
        f"{len(outcome.passed)} passed, {len(outcome.failed)} failed, "
        f"{len(outcome.waived)} waived, {len(outcome.faults)} faults"
    )


def _rows(mark: str, verdicts: Iterable[Verdict], where: Places) -> list[tuple[str, ...]]:
    groups: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        location = where.get((verdict.stack, verdict.address), "?")
        detail = "; ".join(verdict.details)
        groups.setdefault((verdict.check, location, detail), []).append(verdict)
    return [
        (mark, check, location, _resources(group), _rule(group[0], detail))
        for (check, location, detail), group in sorted(groups.items())
    ]


def _resources(verdicts: list[Verdict]) -> str:
    names = sorted({verdict.address for verdict in verdicts})
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _rule(verdict: Verdict, detail: str) -> str:
    return f"{verdict.rule}: {detail}" if detail else verdict.rule


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADS) - 1)]
    for row in rows:
        yield "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
