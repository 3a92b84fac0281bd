"""What people see: answers on stdout, talk on stderr, hostile text made harmless."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from responders.json_values import Json
from responders.outcome import Report
from responders.runner import StepReport

MARKS = {
    "done": ("✓", "green"),
    "already": ("✓", "dim green"),
    "planned": ("→", "cyan"),
    "skipped": ("·", "dim"),
    "failed": ("✗", "bold red"),
}
HEADLINES = {
    "contained": ("CONTAINED", "bold green"),
    "already-contained": ("ALREADY CONTAINED", "bold green"),
    "open-leads": ("CONTAINED, BUT THE ATTACKER CAN STILL ACT", "bold red"),
    "not-contained": ("NOT CONTAINED", "bold red"),
    "released": ("RELEASED", "bold green"),
    "not-released": ("NOT RELEASED", "bold red"),
    "still-held": ("STILL HELD BY ANOTHER CASE", "bold yellow"),
    "interrupted": ("INTERRUPTED", "bold yellow"),
    "opened": ("OPENED", "bold green"),
    "already-open": ("ALREADY OPEN", "bold green"),
    "not-opened": ("NOT OPENED", "bold yellow"),
    "planned": ("PLAN (nothing was changed)", "bold cyan"),
    "preserved": ("PRESERVED", "bold green"),
    "not-preserved": ("NOT PRESERVED YET", "bold yellow"),
    "open": ("OPEN", "bold green"),
    "not-open": ("NOT OPEN", "bold red"),
    "closed": ("CLOSED", "bold green"),
    "not-closed": ("NOT CLOSED", "bold red"),
}


_talk: Console | None = None
"""Where talk goes while something else, such as a progress bar, has the terminal."""


@contextmanager
def talking_on(console: Console) -> Iterator[None]:
    """Sends all talk to one console as long as the block lasts."""
    global _talk
    _talk = console
    try:
        yield
    finally:
        _talk = None


WIDE = 10_000
"""Columns of an output that is no terminal: nothing is folded there."""


def out() -> Console:
    """For answers."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def err() -> Console:
    """For talk."""
    return _talk or Console(file=sys.stderr, highlight=False, soft_wrap=True)


def safe(text: object) -> str:
    """Text that anybody could have written, with no way to move the cursor or forge a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def plain(text: object, style: str = "") -> Text:
    """Safe text that is never read as markup."""
    return Text(safe(text), style=style)


def error(message: str, advice: str) -> None:
    """An error and what to do about it."""
    console = err()
    console.print(Text("cordon: ", "bold red") + plain(message))
    if advice:
        console.print(Text("  → ") + plain(advice))


def waiting(line: str) -> None:
    """What the command waits for, while nothing else is to be told."""
    err().print(Text("  … ") + plain(line, "dim"))


def step(report: StepReport) -> None:
    """One step as it ends."""
    err().print(_line(report.as_json()))


def step_verbosely(report: StepReport) -> None:
    """One step as it ends, with what it saw."""
    step(report)
    for thing, state in report.observation.items():
        err().print(Text("      ") + plain(f"{thing}: {json.dumps(state, default=str)}", "dim"))


def _line(document: Mapping[str, Json]) -> Text:
    mark, style = MARKS[document["status"]]
    line = Text(f"  {mark} ", style) + Text(f"{document['name']:<24}") + Text(document["status"])
    if document["reason"]:
        line += Text(": ") + plain(document["reason"], style if mark == "✗" else "")
    for note in document["notes"]:
        line += Text("\n      ") + plain(note, "dim")
    return line


def document(value: Mapping[str, object]) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=True, default=str))


def report(found: Report, *, as_json: bool) -> int:
    """The report; gives the exit code."""
    if as_json:
        document(found.as_json())
        return found.exit_code
    console = out()
    word, style = HEADLINES.get(found.outcome, (found.outcome.upper(), "bold"))
    after = "" if found.contained_after_s is None else f" after {found.contained_after_s:.1f} s"
    console.print(
        Text(word, style)
        + plain(f"{after}: {found.target} in {found.region or 'all regions'}, case {found.case}")
    )
    if not _seen_already():
        for one in found.steps:
            console.print(_line(one.as_json()))
    if found.residual_risks:
        console.print(Text("Residual risks", "bold yellow"))
        for risk in found.residual_risks:
            console.print(Text("  ! ", "yellow") + plain(risk))
    _evidence(console, found)
    if found.not_hunted:
        console.print(
            Text("No hunt was run: ", "bold yellow")
            + plain(f"what else was done with {found.target} is not known. Run {found.not_hunted}")
        )
    return found.exit_code


def _seen_already() -> bool:
    """Whether the person who reads this saw each step as it ended."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def _evidence(console: Console, found: Report) -> None:
    if not found.evidence.local:
        return
    console.print(Text("Record   ") + plain(found.evidence.local))
    if found.evidence.vault:
        console.print(Text("Vault    ") + plain(found.evidence.vault))
    if not found.evidence.complete:
        console.print(Text("Evidence incomplete: ", "bold yellow") + plain(found.evidence.trouble))


def table(headers: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    """A table on stdout: folded to a terminal's width, as wide as it is anywhere else."""
    columns = [Column(header, overflow="fold") for header in headers]
    grid = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        grid.add_row(*(plain(cell) for cell in row))
    console = out()
    if not console.is_terminal:
        console.width = WIDE
    console.print(grid)
