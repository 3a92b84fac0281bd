"""The evidence of a run: each piece a file, its hash in the journal, its copy in the vault."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from contract import evidence_key
from responders.errors import JournalError
from responders.record.files import DAMAGED, set_aside
from responders.record.journal import EVIDENCE_NAME, Journal, sha256
from responders.record.store import FolderStore
from responders.record.vault import Mirror


class EvidenceFolder:
    """Keeps evidence of one run. `names_in_case` gives what all runs of the case list."""

    def __init__(
        self,
        case_id: str,
        run_folder: Path,
        names_in_case: Callable[[], frozenset[str]],
        record: Journal,
        mirror: Mirror,
    ) -> None:
        self.folder = run_folder / "evidence"
        self._case, self._run_folder = case_id, run_folder
        self._names_in_case, self._journal, self._mirror = names_in_case, record, mirror
        self._lock = threading.Lock()

    def save(self, name: str, data: bytes) -> None:
        """Keeps `data` as `name`; refuses a name that is not a plain relative path, or is taken."""
        if not EVIDENCE_NAME.fullmatch(name):
            raise JournalError(f"{name!r} can't name a piece of evidence")
        with self._lock:
            if name in self._listed():
                raise JournalError(f"evidence {name} exists already and is not overwritten")
            try:
                self._write(name, data)
            except OSError as error:
                raise JournalError(f"evidence {name} can't be written: {error.strerror}") from error
        self._journal.append("evidence", name=name, sha256=sha256(data), bytes=len(data))
        key = evidence_key(self._case, self._run_folder.name, name)
        self._mirror.add(key, self.folder / name)

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        if path.exists():  # no entry lists it: a run that died left it, and it proves nothing
            beside = self._run_folder.with_name(self._run_folder.name + DAMAGED)
            set_aside(path, beside / "evidence" / name)
        FolderStore(self.folder).append(name, data)

    def _listed(self) -> set[str]:
        entries = list(self._journal.entries)
        return {str(e.body["name"]) for e in entries if e.kind == "evidence"}

    def refer(self, key: str, size: int, sha256: str) -> None:
        """Lists what the target wrote into the vault itself; it is not copied here."""
        self._journal.append("referred", key=key, bytes=size, sha256=sha256)

    def names(self) -> frozenset[str]:
        """What the case has, so that nothing is collected twice."""
        return self._names_in_case()
