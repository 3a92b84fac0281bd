"""Progress bars for long waits: on stderr, and only where that is a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from responders.action import Watch, unwatched
from responders.cli import show


@contextmanager
def watching() -> Iterator[Watch]:
    """What to give to a request as its `watch`. Talk goes above the bars while they are there."""
    if not sys.stderr.isatty():
        yield unwatched
        return
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    bars = Progress(
        TextColumn("  … {task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with show.talking_on(console), bars:
        yield _Bars(bars).watch


class _Bars:
    """One bar for each thing that goes on."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def watch(self, what: str, done: float | None) -> None:
        """Moves the bar of `what`; it pulses while nobody knows how far it is."""
        with self._lock:
            if what not in self._tasks:
                self._tasks[what] = self._bars.add_task(show.safe(what), total=None)
            total = None if done is None else 1.0
            self._bars.update(self._tasks[what], completed=done or 0.0, total=total)
