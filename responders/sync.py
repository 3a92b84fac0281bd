"""Makes both copies of a case whole: sends what the vault lacks, fetches what is not here."""

from __future__ import annotations

from responders.case import Case
from responders.errors import JournalError
from responders.journal import write_durably
from responders.vault import Vault


def sync(case: Case, vault: Vault) -> tuple[list[str], list[str]]:
    """Keys sent and fetched. Nothing that both have is written again."""
    prefix = f"cases/{case.id}/"
    there = set(vault.sizes(prefix))
    here = {
        f"{prefix}{path.relative_to(case.folder).as_posix()}": path
        for path in sorted(case.folder.rglob("*"))
        if path.is_file() and path.parent != case.folder and path.suffix != ".partial"
    }
    sent = [key for key in here if key not in there]
    for key in sent:
        vault.put(key, here[key].read_bytes())
    fetched = sorted(there - set(here))
    for key in fetched:
        _fetch(case, vault, key, prefix)
    return sent, fetched


def _fetch(case: Case, vault: Vault, key: str, prefix: str) -> None:
    path = case.folder / key.removeprefix(prefix)
    if case.folder.resolve() not in path.resolve().parents:
        raise JournalError(f"the vault holds {key!r}, which does not belong in a case")
    case.make()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(path, vault.get(key))
