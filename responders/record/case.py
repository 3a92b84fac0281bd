"""A case on disk: one folder a run, with its journal and evidence, as the vault has them too."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract import CASE_PATTERN, evidence_key, is_case_id, journal_key
from responders.errors import BadInput, JournalError
from responders.record import journal
from responders.record.journal import GENESIS, Entry, Journal, private_folder, sha256, write_durably
from responders.record.vault import Mirror


def home() -> Path:
    """The folder for all cases: `CORDON_HOME`, or the platform's state directory."""
    import platformdirs

    named = os.environ.get("CORDON_HOME")
    return Path(named) if named else platformdirs.user_state_path("cordon")


def new_run() -> str:
    """A name for a run: UTC to the millisecond, so that names sort by time, and a random part."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    return f"{stamp}Z-{secrets.token_hex(3)}"


def run_began(name: str) -> datetime:
    """When a run was named (UTC), by its name; ValueError for what `new_run` did not make."""
    return datetime.strptime(name.partition("Z")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """One run as its journal tells it."""

    name: str
    entries: list[Entry]

    def _first(self, kind: str) -> Mapping[str, Any]:
        return next((e.body for e in self.entries if e.kind == kind), {})

    @property
    def begin(self) -> Mapping[str, Any]:
        """The entry that says what was asked; empty when the run died before it."""
        return self._first("begin")

    @property
    def end(self) -> Mapping[str, Any]:
        """The entry that closes a run; empty when it did not finish."""
        return self._first("end")


@dataclass
class Undo:
    """What a step found before its first change, and left after its last, thing by thing."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


class Case:
    """All that is on this machine about one case."""

    def __init__(self, case_id: str) -> None:
        if not is_case_id(case_id):
            raise BadInput(
                f"{case_id!r} is not a case id",
                f"Use letters, digits, '.', '_' or '-', at most 64: {CASE_PATTERN}",
            )
        self.id = case_id
        self.folder = home() / "cases" / case_id

    def runs(self) -> list[Run]:
        """Every run, the oldest first."""
        names = self.runs_on_disk()
        return [Run(n, journal.read(self.folder / n / "journal")) for n in names]

    def runs_on_disk(self) -> list[str]:
        """Names of the run folders, the oldest first, readable or not."""
        if not self.folder.is_dir():
            return []
        return sorted(p.name for p in self.folder.iterdir() if p.is_dir())

    def evidence_names(self) -> frozenset[str]:
        """Names of all evidence that the case's journals list on this machine."""
        entries = [e for run in self.runs() for e in run.entries if e.kind == "evidence"]
        return frozenset(str(e.body["name"]) for e in entries)

    def referred(self) -> dict[str, int]:
        """Keys of what targets wrote into the vault themselves, with the bytes S3 told then."""
        entries = [e for run in self.runs() for e in run.entries if e.kind == "referred"]
        return {str(e.body["key"]): int(e.body["bytes"]) for e in entries}

    def last_hash(self) -> str:
        """What the next run's first entry holds as `previous`."""
        return next((r.entries[-1].sha256 for r in reversed(self.runs()) if r.entries), GENESIS)

    def make(self) -> None:
        """Makes the folder, closed to other users; JournalError when it can't be."""
        try:
            private_folder(self.folder)
        except OSError as error:
            raise JournalError(
                f"the case folder {self.folder} can't be made: {error.strerror}",
                "Free some space, or set CORDON_HOME to a folder that you can write to.",
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the case for this process; BadInput when another process holds it."""
        self.make()
        with (self.folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise BadInput(
                    f"another cordon works on case {self.id} (process {file.read() or 'unknown'})",
                    "Wait for it, or use another case id. Nothing was touched.",
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def undo_record(self, target: str) -> dict[str, Undo]:
        """Per step, what to restore: the first state seen since the last release, and the last."""
        record: dict[str, Undo] = {}
        for run in self.runs():
            if run.begin.get("target") != target:
                continue
            for entry in run.entries:
                _replay(record, entry)
        return {step: undo for step, undo in record.items() if undo.before}


def _replay(record: dict[str, Undo], entry: Entry) -> None:
    undo = record.setdefault(entry.step, Undo())
    match entry.kind:
        case "intend":
            for thing, state in entry.body["seen"].items():
                undo.before.setdefault(thing, state)
        case "result" if entry.body.get("now") is not None:
            undo.after.update({k: v for k, v in entry.body["now"].items() if k in undo.before})
        case "undone":
            for thing in entry.body["restored"]:
                undo.before.pop(thing, None)
                undo.after.pop(thing, None)


class EvidenceFolder:
    """Keeps evidence of one run: the file, its hash in the journal, its copy in the vault."""

    def __init__(self, case: Case, run: str, record: Journal, mirror: Mirror) -> None:
        self.folder = case.folder / run / "evidence"
        self._case, self._run, self._journal, self._mirror = case, run, record, mirror
        self._lock = threading.Lock()

    def save(self, name: str, data: bytes) -> None:
        """Keeps `data` as `name`; refuses a name that is not a plain relative path, or is taken."""
        if not re.fullmatch(
            r"[A-Za-z0-9][A-Za-z0-9._@=+-]*(/[A-Za-z0-9][A-Za-z0-9._@=+-]*)*", name
        ):
            raise JournalError(f"{name!r} can't name a piece of evidence")
        path = self.folder / name
        with self._lock:
            if name in self._listed():
                raise JournalError(f"evidence {name} exists already and is not overwritten")
            try:
                private_folder(path.parent)
                write_durably(path, data)
            except OSError as error:
                raise JournalError(f"evidence {name} can't be written: {error.strerror}") from error
        self._journal.append("evidence", name=name, sha256=sha256(data), bytes=len(data))
        self._mirror.add(evidence_key(self._case.id, self._run, name), path)

    def _listed(self) -> set[str]:
        """A file that no entry lists was left by a run that died: it proves nothing."""
        entries = list(self._journal.entries)
        return {str(e.body["name"]) for e in entries if e.kind == "evidence"}

    def refer(self, key: str, size: int, sha256: str) -> None:
        """Lists what the target wrote into the vault itself; it is not copied here."""
        self._journal.append("referred", key=key, bytes=size, sha256=sha256)

    def names(self) -> frozenset[str]:
        """What the case has, so that nothing is collected twice."""
        return self._case.evidence_names()


def open_run(case: Case, run: str, mirror: Mirror) -> tuple[Journal, EvidenceFolder]:
    """A new run's journal and evidence, or those of a run to resume; both copied to the vault."""
    folder = case.folder / run / "journal"

    def copy(entry: Entry) -> None:
        mirror.add(journal_key(case.id, run, entry.number), folder / f"{entry.number}.json")

    record = Journal(folder, case=case.id, run=run, after=case.last_hash(), on_entry=copy)
    return record, EvidenceFolder(case, run, record, mirror)
