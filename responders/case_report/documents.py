"""What a report reads of a case: entries of steps, and the JSON documents among the evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from responders.errors import BadInput
from responders.json_values import Json, JsonObject
from responders.playbook import AnyPlaybook, by_command
from responders.record.case import Case
from responders.record.journal import Entry, sha256
from responders.record.run import Run


def entries_of_steps(runs: Iterable[Run], *names: str) -> Iterator[Entry]:
    for run in runs:
        yield from (e for e in run.entries if e.step in names and e.kind in ("intend", "result"))


def saved_documents(case: Case, runs: Sequence[Run], target: str) -> dict[str, Json]:
    """The JSON documents that the first response saved about a target, by plain name."""
    documents: dict[str, Json] = {}
    for run in runs:
        for entry in run.entries:
            name = str(entry.body.get("name", ""))
            folder, _, plain = name.partition("/")
            if entry.kind == "evidence" and folder == target and plain.endswith(".json"):
                document = _document(case, run, entry)
                if document is not None:
                    documents.setdefault(plain, document)
    return documents


def findings(case: Case, runs: Sequence[Run]) -> Iterator[JsonObject]:
    for run in runs:
        for entry in run.entries:
            name = str(entry.body.get("name", ""))
            if entry.kind == "evidence" and name.endswith("/findings.json"):
                document = _document(case, run, entry)
                if isinstance(document, dict):
                    yield document


def playbook(run: Run) -> AnyPlaybook | None:
    """The playbook of a run; None for a command that has none in this version."""
    try:
        return by_command(str(run.begin.get("command")))
    except BadInput:
        return None


def _document(case: Case, run: Run, entry: Entry) -> Json | None:
    """A JSON document among the evidence; None when it is gone, or is not what was saved.

    Only bytes with the journaled hash are read: a changed file could have any shape, and `faults`
    names it anyway.
    """
    try:
        data = (case.folder / run.name / "evidence" / str(entry.body["name"])).read_bytes()
        return json.loads(data) if sha256(data) == entry.body.get("sha256") else None
    except (OSError, ValueError, RecursionError):
        return None
