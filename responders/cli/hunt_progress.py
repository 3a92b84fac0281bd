"""How far a hunt is, on stderr: a bar and the busy regions on a terminal, lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from responders.cli import show

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from responders.hunt.chase import Progress, Tell

EVERY = 10_000
"""Events of one place between two lines."""


@contextmanager
def shown() -> Iterator[Tell]:
    """Gives what the hunt tells its progress to; safe to call from several threads."""
    console = show.err()
    view = _Bars(console) if console.is_terminal else _Lines(console)
    with view:
        yield view.tell


class _Lines:
    """One line when a place fails, one every so many events, and one for each place at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, Progress] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        for place, last in sorted(self._last.items()):
            if not last.error:
                self._say(f"{place}: {last.events} events, {last.pages} pages")

    def tell(self, now: Progress) -> None:
        """Keeps the newest of a place, and says what is worth a line."""
        with self._lock:
            if now.phase != "events":
                return
            before = self._last.get(now.place)
            self._last[now.place] = now
            if now.error and not (before and before.error):
                self._say(f"{now.place}: {now.error}")
            elif before and before.events // EVERY < now.events // EVERY:
                self._say(f"{now.place}: {now.events} events so far")

    def _say(self, text: str) -> None:
        self._console.print(show.plain(text))


class _Bars:
    """One line for each place that is busy, and the sum of all."""

    def __init__(self, console: Console) -> None:
        from rich.progress import Progress as Display
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = console
        self._display = Display(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[told]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._events: dict[str, int] = {}
        self._failed: set[str] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> _Bars:
        self._display.start()
        self._all = self._display.add_task("all", told="", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def tell(self, now: Progress) -> None:
        """Shows a place while it is busy, and keeps a line of one that failed."""
        with self._lock:
            if now.place not in self._tasks:
                self._tasks[now.place] = self._display.add_task(
                    show.safe(now.place), told="", total=None
                )
            if now.phase == "events":
                self._events[now.place] = now.events
            shown_text = f"{now.events} events, {now.pages} pages, {now.waiting} to look up"
            self._display.update(self._tasks[now.place], told=shown_text, visible=now.waiting > 0)
            self._display.update(
                self._all, told=f"{sum(self._events.values())} events in {len(self._tasks)} places"
            )
            if now.error and now.place not in self._failed:
                self._failed.add(now.place)
                self._console.print(show.plain(f"{now.place}: {now.error}", "red"))
