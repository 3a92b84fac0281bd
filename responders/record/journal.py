"""The record of a run: written before each change, chained by hash, proven later.

An entry is one file, `journal/<n>.json`, of canonical JSON (sorted keys, no spaces, UTF-8), created
once and never replaced. Each holds the SHA-256 of the file before it, so a changed, missing or
reordered entry breaks the chain. The first entry of a run holds the hash of an entry of the run
that it follows, so a missing run shows as well.

What is read may have been damaged or forged: every reader here is bounded in size, depth and count.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from responders.errors import JournalError
from responders.record.files import UNFINISHED, private_folder, read_bounded, write_durably

SCHEMA = 1
GENESIS = "0" * 64
"""Stands for the entry before the first one."""
ENTRY_BYTES = 8 * 1024 * 1024
"""Most bytes of an entry; those written have a few thousand."""
ENTRY_DEPTH = 64
"""Most levels of lists and objects in an entry; those written have fewer than ten."""
MOST_ENTRIES = 100_000
"""Most entries of a run; a response writes about a hundred, a hunt a few thousand."""
_DIGITS = 20
"""Most digits of a whole number in an entry: AWS's numbers have 64 bits."""
EVIDENCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@=+-]*(/[A-Za-z0-9][A-Za-z0-9._@=+-]*)*")
"""What a piece of evidence can be called: a plain relative path."""
_FILE = re.compile(r"([1-9][0-9]{0,5})\.json")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "asked": str,
    "at": str,
    "bytes": int,
    "caller": str,
    "clock_behind_s": (int, float),
    "command": str,
    "follows": list,
    "key": str,
    "name": str,
    "notes": list,
    "now": (dict, type(None)),
    "options": dict,
    "outcome": str,
    "own": list,
    "previous": str,
    "region": str,
    "restored": list,
    "risks": list,
    "seen": dict,
    "sha256": str,
    "subject": str,
    "target": str,
}
"""Fields that readers of an entry rely on, with their types where they are there."""
_REQUIRED = {
    "begin": ("at", "command", "target", "region", "options"),
    "evidence": ("name", "sha256"),
    "referred": ("key", "bytes"),
    "intend": ("seen",),
    "undone": ("restored",),
}
"""Fields that an entry of a kind must have."""


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
        """Reads an entry; ValueError when it is none, or is beyond what an entry may hold."""
        body = bounded_json(raw, ENTRY_BYTES, ENTRY_DEPTH)
        if not isinstance(body, dict):
            raise ValueError("not a JSON object")
        number, kind, step = body.get("number"), body.get("kind"), body.get("step")
        if type(number) is not int or not 1 <= number <= MOST_ENTRIES:
            raise ValueError("it has no number that an entry can have")
        if not isinstance(kind, str) or not isinstance(step, str):
            raise ValueError("it has no kind or no step")
        _check_fields(kind, body)
        return cls(number, kind, step, body, raw)


def bounded_json(raw: bytes, size: int, depth: int) -> Any:
    """Parses JSON that anybody may have written; ValueError when it is none or exceeds a bound."""
    if len(raw) > size:
        raise ValueError(f"it has more than {size} bytes")
    try:
        value = json.loads(
            raw, parse_int=_whole_number, parse_float=_fraction, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    _check_depth(value, depth)
    return value


def _whole_number(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError("it has a number that is too long")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("it has a number that is too big")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_depth(value: Any, most: int) -> None:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _check_fields(kind: str, body: Mapping[str, Any]) -> None:
    for name, types in _TYPES.items():
        if name in body and (not isinstance(body[name], types) or isinstance(body[name], bool)):
            raise ValueError(f"its {name} is not what an entry holds there")
    for name in _REQUIRED.get(kind, ()):
        if name not in body:
            raise ValueError(f"it has no {name}")
    if kind == "evidence" and not EVIDENCE_NAME.fullmatch(body["name"]):
        raise ValueError("its name can't be that of a piece of evidence")
    if "at" in body:
        datetime.fromisoformat(body["at"])  # ValueError: a moment is all that belongs there


class Journal:
    """Appends to one run's record. Safe to use from several threads.

    `follow` is held while the first entry of a new run is written, and gives the hashes that it
    follows: the first as `previous`, the others, of runs that go on at the same time, as `follows`.
    JournalError when the run's record is damaged: what is written after a gap proves nothing.
    """

    def __init__(
        self,
        folder: Path,
        *,
        case: str,
        run: str,
        follow: Callable[[], AbstractContextManager[Sequence[str]]] = lambda: nullcontext(()),
        on_entry: Callable[[Entry], None] = lambda _entry: None,
    ) -> None:
        self.folder, self.case, self.run = folder, case, run
        self.caller = "unknown"
        self._on_entry, self._follow = on_entry, follow
        self._lock = threading.Lock()
        chain = examine(read_files(folder), case=case, run=run)
        if chain.broken:
            raise JournalError(
                f"the record of run {run} is damaged, and is not gone on with: {chain.faults[0]}",
                f"`cordon case sync --case {case}` restores it from the vault. To contain now, run "
                "the response again: it begins a record of its own.",
            )
        self.entries = chain.entries
        self._previous = self.entries[-1].sha256 if self.entries else GENESIS

    def append(self, kind: str, step: str = "", **body: Any) -> Entry:
        """Adds an entry and returns once it is on disk; JournalError when it can't be."""
        with self._lock:
            if self.entries:
                entry = self._write(kind, step, body)
            else:
                with self._follow() as follows:
                    self._previous = next(iter(follows), GENESIS)
                    more = {"follows": list(follows[1:])} if follows[1:] else {}
                    entry = self._write(kind, step, {**more, **body})
            self._on_entry(entry)
            return entry

    def _write(self, kind: str, step: str, body: Mapping[str, Any]) -> Entry:
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
        self._create(number, raw)
        # Read back from its bytes, so that an entry in memory is what a reader will see.
        entry = Entry(number, kind, step, json.loads(raw), raw)
        self.entries.append(entry)
        self._previous = entry.sha256
        return entry

    def _create(self, number: int, raw: bytes) -> None:
        try:
            private_folder(self.folder)
            write_durably(self.folder / f"{number}.json", raw)
        except FileExistsError as error:
            raise JournalError(
                f"entry {number} of run {self.run} is there already, and is never replaced",
                "Another process writes this run's record: let it end, then look at "
                f"`cordon case verify --case {self.case}`.",
            ) from error
        except OSError as error:
            raise JournalError(
                f"the record can't be written to {self.folder}: {error.strerror}",
                "Nothing is changed without a record. Free some space, or set CORDON_HOME "
                "to another disk, and run the command again.",
            ) from error


Files = Iterable[tuple[str, Callable[[], bytes]]]
"""Names of the files in a journal's folder, with what reads each within `ENTRY_BYTES`."""


@dataclass(frozen=True)
class Chain:
    """What a journal's files hold."""

    entries: list[Entry] = field(default_factory=list)
    """The entries that follow each other from the first, up to the first fault."""
    faults: list[str] = field(default_factory=list)
    """What is wrong, a line each."""
    broken: bool = False
    """Whether an entry is missing or is not what it was: `entries` may end too early."""
    hashes: frozenset[str] = frozenset()
    """SHA-256 of every entry's file that can be read, also behind a fault."""


def read_files(folder: Path) -> Files:
    """The files of a journal on this machine; none where there is no folder."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if not path.name.endswith(UNFINISHED):
            yield path.name, lambda path=path: read_bounded(path, ENTRY_BYTES)  # type: ignore[misc]


def examine(files: Files, *, case: str, run: str) -> Chain:
    """Reads a run's entries and judges their chain. The first may hold any `previous`."""
    numbered, faults = _numbered(files)
    if len(numbered) > MOST_ENTRIES:
        return Chain(faults=[*faults, f"there are more than {MOST_ENTRIES} entries"], broken=True)
    damage: list[str] = []
    entries: list[Entry] = []
    hashes: set[str] = set()
    expected, previous = 1, ""
    for number in sorted(numbered):
        if number > expected:
            damage.append(_gap(expected, number - 1))
            previous = ""
        raw, lines = _read(numbered[number])
        entry = None
        if raw is not None:
            hashes.add(sha256(raw))
            entry, lines = _judged(raw, number, previous, case, run)
        damage += [f"entry {number} {line}" for line in lines]
        if entry is not None and not damage:
            entries.append(entry)
        expected, previous = number + 1, "" if raw is None else sha256(raw)
    return Chain(entries, [*faults, *damage], bool(damage), frozenset(hashes))


def _numbered(files: Files) -> tuple[dict[int, Callable[[], bytes]], list[str]]:
    numbered: dict[int, Callable[[], bytes]] = {}
    faults: list[str] = []
    for name, read in files:
        # An absurd number would make readers count to it, and other digits mean the same number.
        if (match := _FILE.fullmatch(name)) and int(match[1]) <= MOST_ENTRIES:
            numbered[int(match[1])] = read
        else:
            faults.append(f"journal/{name} does not belong here")
    return numbered, faults


def _gap(first: int, last: int) -> str:
    if first == last:
        return f"entry {first} is missing"
    return f"entries {first} to {last} are missing"


def _read(read: Callable[[], bytes]) -> tuple[bytes | None, list[str]]:
    try:
        return read(), []
    except (OSError, ValueError) as error:
        return None, [f"is not readable: {getattr(error, 'strerror', None) or error}"]


def _judged(
    raw: bytes, number: int, previous: str, case: str, run: str
) -> tuple[Entry | None, list[str]]:
    """The entry that some bytes hold, if any, and what is wrong with it, without its number."""
    try:
        entry = Entry.parse(raw)
        rewritten = canonical(entry.body) != raw
    except ValueError as error:
        return None, [f"is not readable: {error}"]
    body = entry.body
    lines = ["was rewritten (not in canonical form)"] if rewritten else []
    if entry.number != number or body.get("case") != case or body.get("run") != run:
        lines.append(
            f"is another entry: {body.get('case')}/{body.get('run')} number {entry.number}"
        )
    if previous and body.get("previous") != previous:
        lines.append("does not follow the entry before it (changed, or out of order)")
    return entry, lines
