"""Makes both copies of a case whole: sends what the vault lacks, restores what is missing here.

Nothing that is whole is written again, in either home. A file of this machine that is damaged is
set aside before the vault's is put in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from responders.errors import BadInput, JournalError
from responders.record.files import DAMAGED, set_aside
from responders.record.journal import ENTRY_BYTES, examine, sha256
from responders.record.run import NAME, Run
from responders.record.store import AlreadyThere, FolderStore
from responders.record.vault import UPLOADS_AT_ONCE, Stored, Vault

if TYPE_CHECKING:
    from responders.record.case import Case

_JOURNAL = "/journal/"


@dataclass
class Synced:
    """What was done, as keys in the vault. `conflicts` says where both copies claim to be whole."""

    sent: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    """Those of `fetched` in whose place there was a damaged file."""
    conflicts: list[str] = field(default_factory=list)


def sync(case: Case, vault: Vault) -> Synced:
    """Restores from the vault, then sends. Journals come first: they list what belongs to a run.

    BadInput when there is no such case, neither here nor there.
    """
    objects = vault.objects(f"cases/{case.id}/")
    if not objects and not case.runs_on_disk():
        raise BadInput(
            f"there is no case {case.id} on this machine or in the vault {vault.bucket}",
            "`cordon case list` shows the cases of this machine; check the id.",
        )
    done = Synced()
    _restore_journals(case, vault, objects, done)
    _restore_evidence(case, vault, objects, done)
    done.fetched.sort()
    done.sent = send(case, vault, objects=objects, conflicts=done.conflicts)
    return done


def fetch_journals(case: Case, vault: Vault) -> Synced:
    """Fetches what other machines wrote down in a case; what is damaged here stays as it is."""
    done = Synced()
    _restore_journals(case, vault, vault.objects(f"cases/{case.id}/"), done, repair=False)
    return done


def send(
    case: Case,
    vault: Vault,
    *,
    but: str = "",
    objects: Mapping[str, Stored] | None = None,
    conflicts: list[str] | None = None,
) -> list[str]:
    """Keys sent: all that the vault lacks of a case's records, but of one run's.

    `AlreadyThere` when the vault holds other bytes, unless they are listed in `conflicts`.
    """
    prefix = f"cases/{case.id}/"
    stored = vault.objects(prefix) if objects is None else objects
    folder = FolderStore(case.folder)
    missing = [
        path
        for run in case.runs()
        for path in _paths(run)
        if run.name != but and prefix + path not in stored and (case.folder / path).is_file()
    ]

    def send_one(path: str) -> None:
        try:
            vault.append(prefix + path, folder.get(path))
        except AlreadyThere as error:
            if conflicts is None:
                raise
            conflicts.append(str(error))

    each(send_one, missing)
    return sorted(prefix + path for path in missing)


def _paths(run: Run) -> list[str]:
    """What belongs to a run, below the case's folder: what its own journal proves."""
    entries = [f"{run.name}{_JOURNAL}{entry.number}.json" for entry in run.entries]
    return entries + [f"{run.name}/evidence/{name}" for name in _evidence(run)]


def _evidence(run: Run) -> dict[str, str]:
    """Names of a run's evidence, each with its SHA-256."""
    listed = [entry.body for entry in run.entries if entry.kind == "evidence"]
    return {str(body["name"]): str(body["sha256"]) for body in listed}


def _restore_journals(
    case: Case,
    vault: Vault,
    objects: Mapping[str, Stored],
    done: Synced,
    *,
    repair: bool = True,
) -> None:
    prefix = f"cases/{case.id}/"
    listed: dict[str, dict[str, Stored]] = {}
    for key, stored in objects.items():
        run, _, name = key.removeprefix(prefix).partition(_JOURNAL)
        if NAME.fullmatch(run) and name:
            listed.setdefault(run, {})[key] = stored
    for run, entries in listed.items():
        here = case.run(run)
        lacks = entries.keys() - {prefix + path for path in _paths(here)}
        if lacks if not here.broken else repair:
            _restore_journal(case, vault, here, entries, done)


def _restore_journal(
    case: Case, vault: Vault, here: Run, listed: Mapping[str, Stored], done: Synced
) -> None:
    """Takes what is missing; and in place of what is damaged, if the vault's own chain holds."""
    bodies = read_all(vault, listed)
    names = [(key.partition(_JOURNAL)[2], partial(bodies.__getitem__, key)) for key in bodies]
    theirs = examine(names, case=case.id, run=here.name)
    whole = theirs.entries if not theirs.broken else []
    prefix = f"cases/{case.id}/"
    folder = FolderStore(case.folder)
    for entry in whole:
        path = f"{here.name}{_JOURNAL}{entry.number}.json"
        try:
            mine = folder.get(path)
        except FileNotFoundError:
            folder.append(path, entry.raw)
            done.fetched.append(prefix + path)
            continue
        except OSError:
            mine = b""
        if mine == entry.raw:
            continue
        if here.broken:
            _replace(case, path, entry.raw)
            done.restored.append(prefix + path)
            done.fetched.append(prefix + path)
        else:
            done.conflicts.append(f"{prefix + path} differs, and both copies claim to be whole")
    if theirs.broken:
        done.conflicts += [f"the vault's copy of {here.name}: {line}" for line in theirs.faults]


def read_all(vault: Vault, listed: Mapping[str, Stored]) -> dict[str, bytes]:
    """Key to the bytes first written there, of all that are no bigger than an entry can be."""
    small = {key: stored for key, stored in listed.items() if stored.size <= ENTRY_BYTES}
    bodies: dict[str, bytes] = {}

    def read(key: str) -> None:
        bodies[key] = vault.read(key, small[key].version)

    each(read, small)
    return bodies


def _restore_evidence(
    case: Case, vault: Vault, objects: Mapping[str, Stored], done: Synced
) -> None:
    prefix = f"cases/{case.id}/"
    wanted = {
        f"{run.name}/evidence/{name}": digest
        for run in case.runs()
        for name, digest in _evidence(run).items()
    }

    def restore(path: str) -> None:
        mine = _digest(case, path)
        if mine == wanted[path]:
            return
        data = vault.read(prefix + path, objects[prefix + path].version)
        if sha256(data) != wanted[path]:
            done.conflicts.append(
                f"{prefix + path} differs in the vault from what its journal says"
            )
        elif mine:
            _replace(case, path, data)
            done.restored.append(prefix + path)
            done.fetched.append(prefix + path)
        else:
            FolderStore(case.folder).append(path, data)
            done.fetched.append(prefix + path)

    each(restore, [path for path in wanted if prefix + path in objects])


def _digest(case: Case, path: str) -> str:
    """SHA-256 of a file of the case; empty: there is none, `unreadable`: it can't be read."""
    try:
        return sha256(FolderStore(case.folder).get(path))
    except FileNotFoundError:
        return ""
    except OSError:
        return "unreadable"


def _replace(case: Case, path: str, data: bytes) -> None:
    """Puts the vault's bytes in the place of a damaged file, which is set aside."""
    run, _, rest = path.partition("/")
    set_aside(case.folder / path, case.folder / f"{run}{DAMAGED}" / rest)
    FolderStore(case.folder).append(path, data)


def each(work: Callable[[str], None], items: Iterable[str]) -> None:
    """Does `work` on `UPLOADS_AT_ONCE` items at a time; JournalError for what can't be written."""
    with ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="sync") as pool:
        futures = [pool.submit(work, item) for item in items]
    for future in futures:
        try:
            future.result()
        except OSError as error:
            raise JournalError(
                f"the case can't be written: {error}", "Free some space, and run it again."
            ) from error
