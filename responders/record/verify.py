"""Proves a case: every chain whole, every piece of evidence as its journal says, in both copies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from responders.record import chain
from responders.record.files import UNFINISHED, opened, read_bounded
from responders.record.journal import ENTRY_BYTES, examine
from responders.record.run import NAME, Run
from responders.record.sync import each
from responders.record.vault import Stored, Vault

if TYPE_CHECKING:
    from responders.record.case import Case

_JOURNAL, _EVIDENCE = "journal/", "evidence/"


@dataclass(frozen=True)
class Piece:
    """One file of a run, in either copy: how to read it within bounds, and to get its SHA-256."""

    read: Callable[[], bytes]
    digest: Callable[[], str]


Files = Mapping[str, Piece]
"""Path below the run's folder, such as `journal/1.json`, to the file."""


@dataclass(frozen=True)
class Copy:
    """One copy of a case, with what is wrong with it."""

    runs: list[Run]
    files: Mapping[str, Files]
    journals: list[str] = field(default_factory=list)
    """Faults of the journals and their links: nothing may be restored from such a record."""
    forks: list[str] = field(default_factory=list)
    """Responses to one target that do not know of each other."""
    others: list[str] = field(default_factory=list)
    """Faults of evidence, and of where the record lies."""

    @property
    def faults(self) -> list[str]:
        """All that is wrong, a line each; empty: the copy is proven."""
        return [*self.journals, *self.forks, *self.others]

    @property
    def referred(self) -> dict[str, int]:
        """Keys of what targets wrote into the vault themselves, to their bytes.

        It is judged by its size only: it is too big to be read again.
        """
        listed = [e.body for run in self.runs for e in run.entries if e.kind == "referred"]
        return {str(body["key"]): int(body["bytes"]) for body in listed}


def local_faults(case: Case) -> list[str]:
    """What is wrong with the copy on this machine; empty: it is proven."""
    return local_copy(case).faults


def local_copy(case: Case) -> Copy:
    """The copy on this machine, judged."""
    copy = judge(case.id, {run: _local_files(case.folder / run) for run in case.runs_on_disk()})
    copy.others.extend(case.risks())
    copy.others.extend(f"{name} does not belong in a case" for name in case.strangers())
    known = {run.name for run in copy.runs}
    copy.journals.extend(
        f"{name}: the run's damaged record was set aside, and the run is missing"
        for name in case.damaged()
        if name.partition(".")[0] not in known
    )
    return copy


def vault_faults(case: Case, vault: Vault) -> list[str]:
    """What is wrong with the vault's copy, or differs from this machine's; empty: both agree."""
    prefix = f"cases/{case.id}/"
    objects = vault.objects(prefix)
    ours = local_copy(case)
    files = _vault_files(vault, prefix, objects)
    _read_ahead(files, but=frozenset(key.removeprefix(prefix) for key in ours.referred))
    theirs = judge(case.id, files)
    referred = {**ours.referred, **theirs.referred}
    faults = [*theirs.faults, *_rewritten(vault, prefix, objects, referred)]
    faults += [
        f"{key.removeprefix(prefix)} has {_bytes_of(objects.get(key))} bytes, not the {size} of "
        "its journal"
        for key, size in sorted(referred.items())
        if key not in objects or size not in objects[key].sizes
    ]
    listed = frozenset(key.removeprefix(prefix) for key in referred)
    faults += _differences(ours, theirs, listed)
    return [f"vault: {line}" for line in faults]


def _read_ahead(runs: Mapping[str, Files], but: frozenset[str]) -> None:
    """Reads several objects of the vault at once: a case has hundreds, each a round trip away.

    `but`: what targets wrote themselves, which is too big to be read.
    """

    def read(path: str) -> None:
        run, _, rest = path.partition("/")
        piece = runs[run][rest]
        with suppress(OSError, ValueError):  # met again, and told, where it is judged
            piece.read() if rest.startswith(_JOURNAL) else piece.digest()

    paths = [f"{run}/{path}" for run, files in runs.items() for path in files]
    each(read, [path for path in paths if path not in but])


def _bytes_of(stored: Stored | None) -> str:
    return " or ".join(str(size) for size in sorted(stored.sizes)) if stored else "no"


def _rewritten(
    vault: Vault, prefix: str, objects: Mapping[str, Stored], referred: Iterable[str]
) -> list[str]:
    """Objects that were deleted, or written again with other content: the oldest is judged."""
    differing: set[str] = set()

    def compare(key: str) -> None:
        digests = {hashlib.sha256(vault.read(key, v)).digest() for v in objects[key].versions}
        if len(digests) > 1:
            differing.add(key)

    several = [key for key, stored in objects.items() if len(stored.versions) > 1]
    each(compare, [key for key in several if key not in referred])
    faults = []
    for key, stored in objects.items():
        path = key.removeprefix(prefix)
        if stored.deleted:
            faults.append(f"{path} was deleted (its oldest version is judged)")
        if key in differing:
            faults.append(f"{path} was written again (its oldest version is judged)")
    return faults


def _differences(ours: Copy, theirs: Copy, referred: frozenset[str]) -> list[str]:
    """What is in one copy of a run only, or differs between them."""
    faults = []
    for run in sorted(ours.files.keys() | theirs.files.keys()):
        here, there = ours.files.get(run, {}), theirs.files.get(run, {})
        faults += [
            f"{run}: {path} is not there yet (cordon case sync sends it)"
            for path in sorted(here.keys() - there.keys())
        ]
        faults += [
            f"{run}: {path} is in the vault and is missing on this machine"
            for path in sorted(there.keys() - here.keys())
            if f"{run}/{path}" not in referred
        ]
        faults += [
            f"{run}: {path} differs from the copy on this machine"
            for path in sorted(here.keys() & there.keys())
            if _digest(here[path]) != _digest(there[path])
        ]
    return faults


def judge(case_id: str, runs: Mapping[str, Files]) -> Copy:
    """Reads and judges some runs of a case: chains, links between runs, evidence."""
    read = {name: _run(case_id, name, files) for name, files in runs.items()}
    # A run that died before its first entry changed nothing: that it is there proves nothing.
    begun = [run for name, run in read.items() if run.hashes or run.faults or runs[name]]
    copy = Copy(chain.in_order(begun), runs)
    for run in copy.runs:
        copy.journals.extend(f"{run.name}: {line}" for line in run.faults)
        if not run.hashes and not run.faults:
            copy.journals.append(f"{run.name}: there is no journal")
    copy.journals.extend(f"{name}: {line}" for name, line in chain.link_faults(copy.runs))
    copy.forks.extend(f"{name}: {line}" for name, line in chain.forks(copy.runs))
    prefix = f"cases/{case_id}/"
    referred = frozenset(key.removeprefix(prefix) for key in copy.referred)
    for run in copy.runs:
        files = {p: f for p, f in runs[run.name].items() if f"{run.name}/{p}" not in referred}
        copy.others.extend(f"{run.name}: {line}" for line in _evidence_faults(run, files))
    return copy


def _run(case_id: str, name: str, files: Files) -> Run:
    journal = [
        (path.removeprefix(_JOURNAL), piece.read)
        for path, piece in files.items()
        if path.startswith(_JOURNAL)
    ]
    return Run.of(name, examine(journal, case=case_id, run=name))


def _evidence_faults(run: Run, files: Files) -> list[str]:
    listed = {
        f"{_EVIDENCE}{entry.body['name']}": str(entry.body["sha256"])
        for entry in run.entries
        if entry.kind == "evidence"
    }
    kept = {path for path in files if not path.startswith(_JOURNAL)}
    faults = [f"{path} is missing" for path in sorted(listed.keys() - kept)]
    faults += [f"{path} is in no journal" for path in sorted(kept - listed.keys())]
    return faults + [
        f"{path} was changed"
        for path in sorted(kept & listed.keys())
        if _digest(files[path]) != listed[path]
    ]


def _digest(piece: Piece) -> str:
    """SHA-256 in hex; what can't be read has none."""
    try:
        return piece.digest()
    except OSError:
        return "unreadable"


def _local_files(folder: Path) -> Files:
    return {
        path.relative_to(folder).as_posix(): Piece(
            partial(read_bounded, path, ENTRY_BYTES), cache(partial(_digest_of, path))
        )
        for path in sorted(folder.rglob("*"))
        if not path.is_dir() and not path.name.endswith(UNFINISHED)
    }


def _digest_of(path: Path) -> str:
    with opened(path) as descriptor, open(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _vault_files(
    vault: Vault, prefix: str, objects: Mapping[str, Stored]
) -> dict[str, dict[str, Piece]]:
    """Every run of a case in the vault, with its files as they were first written."""
    runs: dict[str, dict[str, Piece]] = {}
    for key, stored in objects.items():
        run, _, path = key.removeprefix(prefix).partition("/")
        if NAME.fullmatch(run) and path:
            runs.setdefault(run, {})[path] = Piece(
                cache(partial(_read_object, vault, key, stored)),
                cache(partial(_digest_of_object, vault, key, stored)),
            )
    return runs


def _read_object(vault: Vault, key: str, stored: Stored) -> bytes:
    if stored.size > ENTRY_BYTES:
        raise ValueError(f"it has more than {ENTRY_BYTES} bytes")
    return vault.read(key, stored.version)


def _digest_of_object(vault: Vault, key: str, stored: Stored) -> str:
    return hashlib.sha256(vault.read(key, stored.version)).hexdigest()
