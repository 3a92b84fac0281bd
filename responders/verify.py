"""Proves a case: every chain whole, every piece of evidence as its journal says, in both copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from responders import journal
from responders.case import Case
from responders.journal import GENESIS, Entry, sha256
from responders.vault import Vault

Read = Callable[[], bytes]
Files = Mapping[str, Read]
"""Path below the run's folder, such as `journal/1.json`, to what reads it."""


def local_faults(case: Case) -> list[str]:
    """What is wrong with the copy on this machine; empty: it is proven."""
    return faults(case.id, {run: _local_files(case, run) for run in case.runs_on_disk()})


def vault_faults(case: Case, vault: Vault) -> list[str]:
    """What is wrong with the vault's copy, or differs from this machine's; empty: both agree."""
    copies = vault_files(case.id, vault)
    told = [f"vault: {line}" for line in faults(case.id, copies)]
    for run in case.runs_on_disk():
        ours, theirs = _local_files(case, run), copies.get(run, {})
        told += [
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
        ]
    return told


def vault_files(case_id: str, vault: Vault) -> dict[str, Files]:
    """Every run of a case in the vault, with its files."""
    prefix = f"cases/{case_id}/"
    runs: dict[str, dict[str, Read]] = {}
    for key in vault.sizes(prefix):
        run, _, path = key.removeprefix(prefix).partition("/")
        runs.setdefault(run, {})[path] = partial(vault.get, key)
    return dict(runs)


def faults(case_id: str, runs: Mapping[str, Files]) -> list[str]:
    """What is wrong with some runs of a case: chains, links between runs, evidence."""
    told: list[str] = []
    hashes = {GENESIS}
    for run in sorted(runs):
        entries = {
            path.removeprefix("journal/"): read()
            for path, read in runs[run].items()
            if path.startswith("journal/")
        }
        after = _previous_of(entries.get("1.json", b""))
        if after not in hashes:
            told.append(f"{run}: the run that it follows is missing or was changed")
        told += journal.faults(entries.items(), case=case_id, run=run, after=after)
        hashes |= {sha256(raw) for raw in entries.values()}
        told += _evidence_faults(run, runs[run], entries.values())
    return told


def _previous_of(raw: bytes) -> str:
    try:
        return str(Entry.parse(raw).body["previous"])
    except (ValueError, KeyError):
        return GENESIS


def _evidence_faults(run: str, files: Files, entries: Iterable[bytes]) -> list[str]:
    told = []
    listed = {}
    for raw in entries:
        try:
            entry = Entry.parse(raw)
        except ValueError:
            continue  # the chain's own check names it
        if entry.kind == "evidence":
            listed[f"evidence/{entry.body['name']}"] = entry.body["sha256"]
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
