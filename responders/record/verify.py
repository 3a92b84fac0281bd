"""Proves a case: every chain whole, every piece of evidence as its journal says, in both copies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from responders.record import journal
from responders.record.case import Case
from responders.record.journal import GENESIS, Entry, sha256
from responders.record.vault import Vault

Read = Callable[[], bytes]
Files = Mapping[str, Read]
"""Path below the run's folder, such as `journal/1.json`, to what reads it."""


def local_faults(case: Case) -> list[str]:
    """What is wrong with the copy on this machine; empty: it is proven."""
    return faults(case.id, {run: _local_files(case, run) for run in case.runs_on_disk()})


def vault_faults(case: Case, vault: Vault) -> list[str]:
    """What is wrong with the vault's copy, or differs from this machine's; empty: both agree."""
    sizes = vault.sizes(f"cases/{case.id}/")
    copies = vault_files(case.id, vault, sizes)
    local = {run: _local_files(case, run) for run in case.runs_on_disk()}
    journals = [_journal_files(files) for files in (*copies.values(), *local.values())]
    referred = _referred(case.id, journals)
    told = [f"vault: {line}" for line in faults(case.id, copies)]
    prefix = f"cases/{case.id}/"
    told += [
        f"vault: {path} has {sizes.get(prefix + path, 'no')} bytes, not the {size} of its journal"
        for path, size in sorted(referred.items())
        if sizes.get(prefix + path) != size
    ]
    for run, ours in local.items():
        told += _differences(run, ours, copies.get(run, {}), referred)
    return told


def _differences(run: str, ours: Files, theirs: Files, referred: Collection[str]) -> list[str]:
    """What is in one copy of a run only, or differs between them."""
    told = [
        f"vault: {run}: {path} is not there yet (cordon case sync sends it)"
        for path in sorted(set(ours) - set(theirs))
    ]
    told += [
        f"vault: {run}: {path} differs from the copy on this machine"
        for path in sorted(set(ours) & set(theirs))
        if sha256(ours[path]()) != sha256(theirs[path]())
    ]
    told += [
        f"{run}: {path} is in the vault and is missing on this machine"
        for path in sorted(set(theirs) - set(ours))
        if f"{run}/{path}" not in referred
    ]
    return told


def vault_files(case_id: str, vault: Vault, keys: Iterable[str]) -> dict[str, Files]:
    """Every run of a case in the vault, with its files; `keys` are all that begin so."""
    prefix = f"cases/{case_id}/"
    runs: dict[str, dict[str, Read]] = {}
    for key in keys:
        run, _, path = key.removeprefix(prefix).partition("/")
        runs.setdefault(run, {})[path] = partial(vault.get, key)
    return dict(runs)


def faults(case_id: str, runs: Mapping[str, Files]) -> list[str]:
    """What is wrong with some runs of a case: chains, links between runs, evidence."""
    told: list[str] = []
    hashes = {GENESIS}
    journals = {run: _journal_files(files) for run, files in runs.items()}
    referred = _referred(case_id, journals.values())
    for run, entries in sorted(journals.items()):
        after = _previous_of(entries.get("1.json", b""))
        if after not in hashes:
            told.append(f"{run}: the run that it follows is missing or was changed")
        told += journal.faults(entries.items(), case=case_id, run=run, after=after)
        hashes |= {sha256(raw) for raw in entries.values()}
        own = {p: read for p, read in runs[run].items() if f"{run}/{p}" not in referred}
        told += _evidence_faults(run, own, entries.values())
    return told


def _journal_files(files: Files) -> dict[str, bytes]:
    return {
        path.removeprefix("journal/"): read()
        for path, read in files.items()
        if path.startswith("journal/")
    }


def _referred(case_id: str, journals: Iterable[Mapping[str, bytes]]) -> dict[str, int]:
    """`<run>/<path>` of what targets wrote into the vault themselves, to its bytes.

    It is judged by its size only: it is too big to be read again.
    """
    return {
        str(entry.body["key"]).removeprefix(f"cases/{case_id}/"): int(entry.body["bytes"])
        for files in journals
        for entry in _entries(files.values())
        if entry.kind == "referred"
    }


def _entries(files: Iterable[bytes]) -> Iterator[Entry]:
    """The readable entries; the chain's own check names the others."""
    for raw in files:
        try:
            yield Entry.parse(raw)
        except ValueError:
            continue


def _previous_of(raw: bytes) -> str:
    try:
        return str(Entry.parse(raw).body["previous"])
    except (ValueError, KeyError):
        return GENESIS


def _evidence_faults(run: str, files: Files, entries: Iterable[bytes]) -> list[str]:
    told = []
    listed = {
        f"evidence/{entry.body['name']}": entry.body["sha256"]
        for entry in _entries(entries)
        if entry.kind == "evidence"
    }
    there = {path for path in files if path.startswith("evidence/")}
    told += [f"{run}: {path} is missing" for path in sorted(set(listed) - there)]
    told += [f"{run}: {path} is in no journal" for path in sorted(there - set(listed))]
    told += [
        f"{run}: {path} was changed"
        for path in sorted(there & set(listed))
        if sha256(files[path]()) != listed[path]
    ]
    return told


def _local_files(case: Case, run: str) -> Files:
    folder = case.folder / run
    return {
        path.relative_to(folder).as_posix(): path.read_bytes
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".partial")
    }
