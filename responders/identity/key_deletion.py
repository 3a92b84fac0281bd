"""Whether a key may be deleted: inactive, by this case, with its record in the vault."""

from __future__ import annotations

from typing import Any

from contract import journal_key
from responders.aws import Aws
from responders.identity.subject import KEYS_RECORD, evidence_name
from responders.record import vault
from responders.record.case import Case, Run
from responders.record.journal import Entry, sha256


def obstacle(aws: Aws, case: Case, key: str, status: str | None, region: str) -> str:
    """Why the key may not be deleted now; the empty string when it may."""
    if status != "Inactive":
        return f"{key} is {(status or 'gone').lower()}: only an inactive key may be deleted"
    made = _made_inactive(case, key)
    if made is None:
        return f"case {case.id} has no record on this machine of having made {key} inactive"
    store = vault.find(aws, region)
    if store is None:
        return "no vault is prepared in this region, and a key's record must be in the vault first"
    run, entry = made
    there = set(store.sizes(f"cases/{case.id}/"))
    record = f"/evidence/{evidence_name(str(run.begin['target']), KEYS_RECORD)}"
    if not any(item.endswith(record) for item in there):
        return f"the record of {key} is not in the vault {store.bucket}"
    place = journal_key(case.id, run.name, entry.number)
    if place not in there or sha256(store.get(place)) != entry.sha256:
        return f"the vault {store.bucket} lacks the journal entry that {key} was made inactive"
    return ""


def _made_inactive(case: Case, key: str) -> tuple[Run, Entry] | None:
    """The newest run, and its entry, that left the key inactive."""
    for run in reversed(case.runs()):
        for entry in run.entries:
            now: Any = entry.body.get("now") or {}
            if entry.kind == "result" and entry.step == "deactivate-keys":
                if now.get(key) == "Inactive":
                    return run, entry
    return None
