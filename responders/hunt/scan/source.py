"""A trail as a source of events: its objects are decoded once, and each question is SQL on them.

The first search reads the days in question: objects are fetched some ahead, decoded in worker
processes and written as Parquet parts. Every later search, such as for a key that an event gave
out, asks the parts. A part of an earlier hunt of the case is asked too: its objects are not read
again.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date, timedelta
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from responders.hunt import unread
from responders.hunt.lead import Lead
from responders.hunt.questions import where
from responders.hunt.scan.decode import Decoded, Fetched, footer_of, write_part
from responders.hunt.scan.parts import PartStore
from responders.hunt.source import (
    LATE,
    Conclusion,
    NoSuchTrail,
    Page,
    Stored,
    TrailObjects,
    Window,
)

FETCHED_AHEAD = 16
"""Objects that are fetched at the same time. Each waits for the network, not for the processor."""
PART_BYTES = 2 * 1024 * 1024
"""Compressed bytes of the objects of one part: some 20,000 events, decoded in 150 MB of memory."""
INLINE_BYTES = 4 * PART_BYTES
"""Below this many bytes the half second that worker processes take to start is not worth it."""
ROWS_A_PAGE = 500
QUERY_MEMORY = "100MB"
"""What DuckDB may use; what is more goes to its temporary folder."""
MOST_WORKERS = 8


class TrailScan:
    """The objects of one trail, as an `EventSource`."""

    def __init__(
        self,
        objects: TrailObjects,
        parts: PartStore,
        folder: Path,
        stop: threading.Event,
        explain: Callable[[BaseException], str],
        *,
        hashing: bool = False,
    ) -> None:
        self.places = (objects.name,)
        self.trouble: dict[str, None] = {}
        """What could not be read, a line each, of the object's key and why."""
        self.events = self.objects = 0
        """Records and objects that were decoded by this hunt or an earlier one."""
        self.hashes: dict[str, str] = {}
        """With `hashing`: SHA-256 (hex) of each object's decompressed content, by key."""
        self._hashing = hashing
        self._objects, self._store, self._folder = objects, parts, folder
        self._stop, self._explain = stop, explain
        self._paths: list[Path] = []
        self._known: set[bytes] = set()
        self._days: set[date] = set()
        self._parts = 0
        self._began = False

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """An empty page for each part that was written, then every event of the leads."""
        if not self._began:
            self._began = True
            self._take_earlier()
        for _ in self._read(window.since(leads).date(), (window.end + LATE).date()):
            yield []
        yield from self._ask(where(leads, window))

    def conclude(self, window: Window) -> Conclusion:
        """Which hours are missing."""
        return Conclusion(unread.gaps(self.places[0], self.trouble))

    # -- reading --

    def _take_earlier(self) -> None:
        """Parts of this trail that an earlier hunt left. What is none is read again instead."""
        for path in self._store.earlier():
            try:
                footer = footer_of(str(path))
            except ValueError:
                continue
            if footer.trail == self.places[0]:
                self._paths.append(path)
                self._count(footer.objects)

    def _read(self, first: date, last: date) -> Iterator[Path]:
        """Writes the parts of the days that were not read yet."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        unread = [day for day in days if day not in self._days]
        if not unread:
            return
        self._days.update(unread)
        with ThreadPoolExecutor(FETCHED_AHEAD, thread_name_prefix="fetch") as threads:
            batches = self._batches(self._fetched(threads, min(unread), max(unread)))
            head = list(_first(batches, INLINE_BYTES // PART_BYTES))
            workers = min(MOST_WORKERS, os.cpu_count() or 1)
            is_small = len(head) < INLINE_BYTES // PART_BYTES
            pool = None if is_small else _processes(workers)
            if pool is None:
                for batch in chain(head, batches):
                    yield self._keep(*self._decode(batch))
                return
            with pool:
                yield from self._decoded(pool, chain(head, batches), workers)

    def _decoded(
        self, pool: Executor, batches: Iterator[list[Fetched]], workers: int
    ) -> Iterator[Path]:
        pending: deque[tuple[Path, Future[list[Decoded]]]] = deque()
        for batch in batches:
            path = self._new_path()
            pending.append((path, pool.submit(write_part, batch, str(path), self.places[0])))
            # One more than there are workers, so that none waits for us; each holds a batch.
            if len(pending) > workers:
                path, future = pending.popleft()
                yield self._keep(path, future.result())
        for path, future in pending:
            yield self._keep(path, future.result())

    def _decode(self, batch: list[Fetched]) -> tuple[Path, list[Decoded]]:
        path = self._new_path()
        return path, write_part(batch, str(path), self.places[0])

    def _new_path(self) -> Path:
        self._parts += 1
        return self._folder / f"part-{self._parts:06}.parquet"

    def _keep(self, path: Path, decoded: list[Decoded]) -> Path:
        kept = self._store.keep(f"trail/{path.name}", path)
        self._paths.append(kept)
        self._count(decoded)
        return kept

    def _count(self, decoded: list[Decoded]) -> None:
        for item in decoded:
            self._known.add(_mark(item.key, item.etag))
            self.objects += 1
            self.events += item.records
            if item.sha256 and self._hashing:
                self.hashes[item.key] = item.sha256
            if item.trouble:
                self._miss(item.key, item.trouble)

    def _fetched(self, threads: Executor, first: date, last: date) -> Iterator[Fetched]:
        """The objects of some days that no part holds, in order, some ahead."""
        pending: deque[tuple[Stored, Future[bytes]]] = deque()
        stored = None
        for stored in self._objects.listed(first, last):
            if self._stop.is_set():
                return
            if stored.trouble:
                self._miss(stored.key, stored.trouble)
            elif _mark(stored.key, stored.etag) not in self._known:
                pending.append((stored, threads.submit(self._objects.fetch, stored.key)))
            if len(pending) >= FETCHED_AHEAD:
                yield from self._result(*pending.popleft())
        while pending:
            yield from self._result(*pending.popleft())
        if stored is None and not self._paths:
            raise NoSuchTrail(f"it holds no object of {first} or later: nothing was read")

    def _result(self, stored: Stored, future: Future[bytes]) -> Iterator[Fetched]:
        try:
            yield Fetched(stored.key, stored.etag, future.result())
        except Exception as error:  # one object that can't be had leaves all others to be read
            self._miss(stored.key, self._explain(error))

    def _miss(self, key: str, why: str) -> None:
        self.trouble[f"{key}: {why}"] = None

    def _batches(self, objects: Iterator[Fetched]) -> Iterator[list[Fetched]]:
        batch: list[Fetched] = []
        size = 0
        for item in objects:
            batch.append(item)
            size += len(item.data)
            if size >= PART_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    # -- asking --

    def _ask(self, condition: str) -> Iterator[Page]:
        if not self._paths:
            return
        with duckdb.connect(config={"memory_limit": QUERY_MEMORY, "temp_directory": ""}) as db:
            db.execute("SET threads = 2")
            # The condition quotes its values; see `responders.hunt.questions`.
            question = f"SELECT raw FROM read_parquet(?) WHERE odd OR ({condition})"  # noqa: S608
            rows = db.execute(question, [[str(path) for path in self._paths]])
            while page := rows.fetchmany(ROWS_A_PAGE):
                yield [_record(raw) for (raw,) in page]


def _mark(key: str, etag: str) -> bytes:
    """Stands for one version of an object: a trail may have a million, and long names."""
    return blake2b(f"{key} {etag}".encode(), digest_size=16).digest()


def _processes(workers: int) -> ProcessPoolExecutor | None:
    """Worker processes; None where there can't be any, such as in a sandbox without semaphores."""
    # Threads are running, and a forked copy of a process with threads may never go on.
    context = multiprocessing.get_context("spawn")
    try:
        return ProcessPoolExecutor(workers, context, _leave_interrupts)
    except (ImportError, NotImplementedError, OSError):
        return None


def _leave_interrupts() -> None:
    """In a worker: Ctrl-C reaches it too, and the hunt itself ends it in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _record(raw: bytes) -> Any:
    """The record; None when it can't be read (the hunt counts those)."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _first(batches: Iterator[list[Fetched]], count: int) -> Iterator[list[Fetched]]:
    for _ in range(count):
        try:
            yield next(batches)
        except StopIteration:
            return
