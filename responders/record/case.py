"""A case on disk: one folder a run, with its journal and evidence, as the vault has them too."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import IO

from contract import CASE_PATTERN, is_case_id, journal_key
from responders.errors import BadInput, JournalError
from responders.record import chain, sync
from responders.record.evidence import EvidenceFolder
from responders.record.files import DAMAGED, openness, private_folder, set_aside
from responders.record.journal import Entry, Journal, examine, read_files
from responders.record.run import NAME, Run, Undo, new_run, run_began, undo_record
from responders.record.vault import Mirror

__all__ = ["Case", "Run", "Undo", "cases_here", "home", "new_run", "open_run", "run_began"]
BEGIN_WAIT = 1.0
"""Seconds that a run waits for another one to begin; then it begins, and may be called a fork."""
MOST_TIPS = 64
"""Most runs that a new one names as followed; more can't go on at the same time on one machine."""


def cases_here() -> tuple[list[Case], list[str]]:
    """The cases of this machine, and names beside them that no case can have."""
    folder = home() / "cases"
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    known = [name for name in names if is_case_id(name) and DAMAGED not in name]
    return [Case(name) for name in known], [name for name in names if name not in known]


def home() -> Path:
    """The folder for all cases: `CORDON_HOME`, or the platform's state directory."""
    import platformdirs

    named = os.environ.get("CORDON_HOME")
    return Path(named) if named else platformdirs.user_state_path("cordon")


class Case:
    """All that is on this machine about one case. Reading never fails for damage: it is told."""

    def __init__(self, case_id: str) -> None:
        if not is_case_id(case_id):
            raise BadInput(
                f"{case_id!r} is not a case id",
                f"Use letters, digits, '.', '_' or '-', at most 64: {CASE_PATTERN}",
            )
        self.id = case_id
        self.folder = home() / "cases" / case_id

    def runs(self) -> list[Run]:
        """Every run that has a journal, each after those that it follows."""
        runs = (self.run(name) for name in self.runs_on_disk())
        return chain.in_order(run for run in runs if run.entries or run.faults)

    def run(self, name: str) -> Run:
        """One run as its journal tells it."""
        files = read_files(self.folder / name / "journal")
        try:
            return Run.of(name, examine(files, case=self.id, run=name))
        except OSError as error:
            return Run(name, [], (f"its journal can't be read: {error.strerror}",), broken=True)

    def runs_on_disk(self) -> list[str]:
        """Names of the run folders, sorted, readable or not; without what was set aside."""
        return [name for name in self._folders() if NAME.fullmatch(name)]

    def strangers(self) -> list[str]:
        """Names of folders that no run has, and that nobody set aside."""
        return [
            name for name in self._folders() if not NAME.fullmatch(name) and DAMAGED not in name
        ]

    def damaged(self) -> list[str]:
        """Names of folders with what was set aside of a run."""
        return [name for name in self._folders() if DAMAGED in name]

    def _folders(self) -> list[str]:
        try:
            return sorted(p.name for p in self.folder.iterdir() if p.is_dir())
        except OSError:  # there is none; or it can't be listed, which `risks` says
            return []

    def risks(self) -> list[str]:
        """Why others could have changed the record, a line for each folder of it."""
        runs = [self.folder / name for name in self.runs_on_disk()]
        folders = [self.folder, *runs, *(run / "journal" for run in runs)]
        return [
            f"{folder} {reason}"
            for folder in folders
            if os.path.lexists(folder) and (reason := openness(folder))
        ]

    def evidence_names(self) -> frozenset[str]:
        """Names of all evidence that the case's journals list on this machine."""
        entries = [e for run in self.runs() for e in run.entries if e.kind == "evidence"]
        return frozenset(str(e.body["name"]) for e in entries)

    def referred(self) -> dict[str, int]:
        """Keys of what targets wrote into the vault themselves, with the bytes S3 told then."""
        entries = [e for run in self.runs() for e in run.entries if e.kind == "referred"]
        return {str(e.body["key"]): int(e.body["bytes"]) for e in entries}

    def make(self) -> None:
        """Makes the folder, closed to other users; JournalError when it can't be."""
        try:
            private_folder(self.folder)
        except OSError as error:
            raise JournalError(
                f"the case folder {self.folder} can't be made: {error.strerror}",
                "Free some space, or set CORDON_HOME to a folder that you can write to.",
            ) from error

    def mend(self) -> list[str]:
        """Sets aside what is damaged, so that a new run can begin; says what, a line each.

        Nothing is changed in it, and `cordon case sync` restores it from the vault. A folder that
        others can write to is closed to them.
        """
        lines = []
        reason = openness(self.folder) if os.path.lexists(self.folder) else ""
        if reason and self.folder.is_dir() and not self.folder.is_symlink():
            self.folder.chmod(0o700)
            lines.append(f"the case folder {self.folder} {reason}: it was closed to them")
        elif reason:
            lines.append(self._set_aside(self.folder, f"it {reason}"))
        for name in self.runs_on_disk():
            if reason := self._damage(name):
                lines.append(self._set_aside(self.folder / name, reason))
        return lines

    def _damage(self, name: str) -> str:
        """Why a run's record can't be relied on; looked at twice, for it may be written now."""
        if (self.folder / name).is_symlink():
            return "it is a symbolic link"
        run = self.run(name)
        run = self.run(name) if run.broken else run
        return run.faults[-1] if run.broken else ""

    def _set_aside(self, path: Path, reason: str) -> str:
        aside = set_aside(path, path.with_name(path.name + DAMAGED))
        return (
            f"the record {path.name} is damaged ({reason}); it was set aside as {aside}, and "
            f"`cordon case sync --case {self.id}` restores it from the vault"
        )

    @contextmanager
    def locked(self, target: str) -> Iterator[None]:
        """Holds a target, in whatever case, for this process; BadInput when another one holds it.

        Other targets of the case can be worked on at the same time.
        """
        path = home() / "claims" / hashlib.sha256(target.encode()).hexdigest()[:32]
        self.make()
        private_folder(path.parent)
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise BadInput(
                    f"another cordon works on {target} ({file.read(200) or 'process unknown'})",
                    "Wait for it to end. Nothing was touched.",
                ) from error
            file.truncate(0)
            file.write(f"process {os.getpid()}, case {self.id}")
            file.flush()
            yield

    @contextmanager
    def beginning(self, run: str) -> Iterator[list[str]]:
        """While a run's first entry is written: the newest entries of the runs that it follows.

        Runs begin one after the other, so that no two follow the same entry unknowingly.
        """
        self.make()
        with (self.folder / "lock").open("a+") as file:
            deadline = monotonic() + BEGIN_WAIT
            while not _has_lock(file) and monotonic() < deadline:
                sleep(0.01)
            yield chain.tips([r for r in self.runs() if r.name != run])[:MOST_TIPS]

    def undo_record(self, target: str) -> dict[str, Undo]:
        """Per step, what to restore: the first state seen since the last release, and the last."""
        return undo_record(self.runs(), target)


def _has_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_run(case: Case, run: str, mirror: Mirror) -> tuple[Journal, EvidenceFolder]:
    """A new run's journal and evidence, or those of a run to resume; both copied to the vault.

    So is what the vault lacks of earlier runs: a case is not in the vault until all of it is.
    """
    folder = case.folder / run / "journal"

    def copy(entry: Entry) -> None:
        mirror.add(journal_key(case.id, run, entry.number), folder / f"{entry.number}.json")

    record = Journal(
        folder, case=case.id, run=run, follow=lambda: case.beginning(run), on_entry=copy
    )
    new = "" if record.entries else run
    mirror.later(lambda vault: sync.send(case, vault, but=new))
    return record, EvidenceFolder(case.id, case.folder / run, case.evidence_names, record, mirror)
