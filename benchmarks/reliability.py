"""Runs the tests that `docs/reliability.md` names, and writes what they tried into that page.

    python -m benchmarks.reliability docs/reliability.md

Counted are the faults that struck an AWS call, and the journal entries that were written: so each
run of a command counts once, whoever started it, and one that was killed has no end. The whole
matrices take about as long as `make torture`. The exit code is that of pytest; the page keeps its
figures when a test fails.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract import VERSION
from lab.faults import Faults
from lab.gate.call import Call
from responders.record.journal import Entry, Journal

TEST = re.compile(r"`(tests/[\w/]+\.py(?:::\w+)*)`")
"""A test file, class or function as the page names it."""
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)


class Counting:
    """A plugin of pytest that counts what its tests do."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts each test once, by how it ended."""
        if report.when == "call":
            self.counts[report.outcome] += 1

    def pytest_sessionstart(self) -> None:
        """Watches faults and journals from the first test on."""
        strike, write, counts = Faults._next, Journal._write, self.counts

        def striking(faults: Faults, known: list[Any], start: int, call: Call) -> int | None:
            number = strike(faults, known, start, call)
            counts["faults"] += number is not None
            return number

        def writing(journal: Journal, kind: str, step: str, body: Mapping[str, Any]) -> Entry:
            entry = write(journal, kind, step, body)
            counts[kind] += 1
            return entry

        Faults._next = striking  # type: ignore[method-assign]
        Journal._write = writing  # type: ignore[method-assign]


def figures(counts: Mapping[str, int], day: str) -> str:
    """The figures as lines of the page."""
    ended = counts.get("end", 0) + counts.get("interrupted", 0)
    opened = counts.get("begin", 0) + counts.get("resume", 0)
    return (
        f"Version {VERSION}, {day} (UTC): {counts.get('passed', 0)} tests passed.\n\n"
        "| what was tried | times |\n|---|---|\n"
        f"| faults and hooks that struck an AWS call | {counts.get('faults', 0)} |\n"
        f"| runs begun | {counts.get('begin', 0)} |\n"
        f"| runs gone on with by `cordon resume` | {counts.get('resume', 0)} |\n"
        f"| runs killed or cut off before their end was written | {opened - ended} |\n"
        f"| states restored by `cordon release`, step by step | {counts.get('undone', 0)} |\n"
    )


def main(page: Path) -> int:
    """Runs the tests and writes the page; gives pytest's exit code."""
    text = page.read_text()
    named = list(dict.fromkeys(TEST.findall(text)))
    counting = Counting()
    words = ["-q", "-p", "no:cacheprovider", "-m", "torture or not torture", *named]
    code = int(pytest.main(words, plugins=[counting]))
    if code == 0:
        lines = figures(counting.counts, f"{datetime.now(UTC):%Y-%m-%d}")
        page.write_text(FIGURES.sub(lambda _match: lines, text))
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
