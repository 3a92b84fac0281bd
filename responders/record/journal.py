"""The record of a run: written before each change, chained by hash, proven later.

An entry is one file, `journal/<n>.json`, of canonical JSON (sorted keys, no spaces, UTF-8). Each
holds the SHA-256 of the file before it, so a changed, missing or reordered entry breaks the chain.
The first entry of a run holds the last hash of the run before it, so a missing run does too.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from responders.errors import JournalError

SCHEMA = 1
GENESIS = "0" * 64
"""Stands for the entry before the first one."""


def canonical(value: Any) -> bytes:
    """The one byte form of a JSON value: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def now() -> str:
    """UTC with `Z`, to the millisecond."""
    return utc(datetime.now(UTC))


def utc(moment: datetime) -> str:
    """A moment as `2026-01-31T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def private_folder(path: Path) -> None:
    """Makes a folder, and what lacks above it, closed to other users (OSError when it can't)."""
    for folder in reversed((path, *path.parents)):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def write_durably(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all, and returns once it is on disk (OSError when full)."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@dataclass(frozen=True)
class Entry:
    """One journal entry, with the bytes that were hashed."""

    number: int
    kind: str
    step: str
    body: Mapping[str, Any]
    raw: bytes

    @property
    def sha256(self) -> str:
        """What the next entry holds as `previous`."""
        return sha256(self.raw)

    @classmethod
    def parse(cls, raw: bytes) -> Entry:
        """Reads an entry; ValueError when it is none."""
        body = json.loads(raw)
        if not isinstance(body, dict):
            raise ValueError("not a journal entry")
        try:
            return cls(int(body["number"]), str(body["kind"]), str(body["step"]), body, raw)
        except (KeyError, TypeError) as error:
            raise ValueError("not a journal entry") from error


class Journal:
    """Appends to one run's record. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        *,
        case: str,
        run: str,
        after: str = GENESIS,
        on_entry: Callable[[Entry], None] = lambda _entry: None,
    ) -> None:
        self.folder, self.case, self.run = folder, case, run
        self.caller = "unknown"
        self._on_entry = on_entry
        self._lock = threading.Lock()
        self.entries = read(folder)
        self._previous = self.entries[-1].sha256 if self.entries else after

    def append(self, kind: str, step: str = "", **body: Any) -> Entry:
        """Adds an entry and returns once it is on disk; JournalError when it can't be."""
        with self._lock:
            number = len(self.entries) + 1
            raw = canonical(
                {
                    **body,
                    "schema": SCHEMA,
                    "case": self.case,
                    "run": self.run,
                    "number": number,
                    "kind": kind,
                    "step": step,
                    "at": now(),
                    "caller": self.caller,
                    "previous": self._previous,
                }
            )
            try:
                private_folder(self.folder)
                write_durably(self.folder / f"{number}.json", raw)
            except OSError as error:
                raise JournalError(
                    f"the record can't be written to {self.folder}: {error.strerror}",
                    "Nothing is changed without a record. Free some space, or set CORDON_HOME "
                    "to another disk, and run the command again.",
                ) from error
            entry = Entry.parse(raw)
            self.entries.append(entry)
            self._previous = entry.sha256
            self._on_entry(entry)
            return entry


def read(folder: Path) -> list[Entry]:
    """The entries in a folder by number, up to the first gap; JournalError when one is unreadable.

    This is for going on with a run; `faults` is for proving it.
    """
    entries: list[Entry] = []
    while (path := folder / f"{len(entries) + 1}.json").exists():
        try:
            entries.append(Entry.parse(path.read_bytes()))
        except (OSError, ValueError) as error:
            raise JournalError(
                f"journal entry {path} can't be read: {error}",
                "Fetch the vault's copy with `cordon case sync`, or look at `cordon case verify`.",
            ) from error
    return entries


def faults(files: Iterable[tuple[str, bytes]], *, case: str, run: str, after: str) -> list[str]:
    """What is wrong with a run's entries, given as (file name, bytes); empty: it is proven.

    `after` is the hash that the first entry must hold: the last of the run before, or `GENESIS`.
    """
    told: list[str] = []
    by_number: dict[int, bytes] = {}
    for name, raw in files:
        stem = name.removesuffix(".json")
        if name.endswith(".json") and stem.isdecimal():
            by_number[int(stem)] = raw
        else:
            told.append(f"{run}: journal/{name} does not belong here")
    if not by_number:
        return [*told, f"{run}: there is no journal"]
    previous = after
    for number in range(1, max(by_number) + 1):
        if number not in by_number:
            told.append(f"{run}: entry {number} is missing")
            previous = ""
            continue
        raw = by_number[number]
        told += _entry_faults(raw, number, previous, case, run)
        previous = sha256(raw)
    return told


def _entry_faults(raw: bytes, number: int, previous: str, case: str, run: str) -> list[str]:
    where = f"{run}: entry {number}"
    try:
        entry = Entry.parse(raw)
    except ValueError:
        return [f"{where} is not readable"]
    body = entry.body
    told = []
    if canonical(body) != raw:
        told.append(f"{where} was rewritten (not in canonical form)")
    if entry.number != number or body.get("case") != case or body.get("run") != run:
        told.append(
            f"{where} is another entry: {body.get('case')}/{body.get('run')} number {entry.number}"
        )
    if previous and body.get("previous") != previous:
        told.append(f"{where} does not follow the entry before it (changed, or out of order)")
    return told
