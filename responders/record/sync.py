"""Makes both copies of a case whole: sends what the vault lacks, fetches what is not here."""

from __future__ import annotations

from pathlib import Path

from responders.errors import JournalError
from responders.record.case import Case
from responders.record.journal import private_folder, write_durably
from responders.record.vault import Vault


def sync(case: Case, vault: Vault) -> tuple[list[str], list[str]]:
    """Keys sent and fetched. Nothing that both have is written again.

    Journals come first: they list what stays in the vault alone, such as captures of memory.
    """
    sent = send(case, vault)
    prefix = f"cases/{case.id}/"
    missing = sorted(set(vault.sizes(prefix)) - set(_here(case)))
    journals = [key for key in missing if "/journal/" in key]
    for key in journals:
        _fetch(case, vault, key, prefix)
    others = [key for key in missing if key not in {*journals, *case.referred()}]
    for key in others:
        _fetch(case, vault, key, prefix)
    return sent, sorted(journals + others)


def send(case: Case, vault: Vault, run: str = "") -> list[str]:
    """Keys sent: all that the vault lacks of a case, or of one of its runs."""
    prefix = f"cases/{case.id}/{run}"
    there = vault.sizes(prefix)
    here = _here(case)
    sent = [key for key in here if key.startswith(prefix) and key not in there]
    for key in sent:
        vault.put(key, here[key].read_bytes())
    return sent


def _here(case: Case) -> dict[str, Path]:
    return {
        f"cases/{case.id}/{path.relative_to(case.folder).as_posix()}": path
        for path in sorted(case.folder.rglob("*"))
        if path.is_file() and path.parent != case.folder and path.suffix != ".partial"
    }


def _fetch(case: Case, vault: Vault, key: str, prefix: str) -> None:
    path = case.folder / key.removeprefix(prefix)
    if case.folder.resolve() not in path.resolve().parents:
        raise JournalError(f"the vault holds {key!r}, which does not belong in a case")
    private_folder(path.parent)
    write_durably(path, vault.get(key))
