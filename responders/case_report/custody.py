"""Who did what with which options, and the evidence with its hashes: the chain of custody."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from responders.case_report.documents import playbook
from responders.case_report.model import Evidence, RunFacts
from responders.record.journal import Entry
from responders.record.run import Run


def evidence_of(runs: Sequence[Run], faults: Sequence[str]) -> Iterator[Evidence]:
    for run in runs:
        for entry in run.entries:
            if entry.kind not in ("evidence", "referred"):
                continue
            name = str(entry.body.get("name") or entry.body.get("key"))
            bad = any(f"{run.name}: evidence/{name} " in f"{fault} " for fault in faults)
            checked = "DIFFERS" if bad else "verified"
            yield Evidence(
                name,
                str(entry.body.get("at", "")),
                int(entry.body.get("bytes", 0)),
                str(entry.body.get("sha256", "")),
                "in the vault only" if entry.kind == "referred" else checked,
            )


def failed_steps(runs: Sequence[Run]) -> Iterator[str]:
    """Steps whose newest result failed, per target."""
    newest: dict[tuple[str, str], Entry] = {}
    for run in runs:
        for entry in run.entries:
            if entry.kind == "result":
                newest[(str(run.begin.get("target")), entry.step)] = entry
    for (target, step), entry in newest.items():
        if entry.body.get("status") == "failed":
            yield f"{target}, {step}: {entry.body.get('reason')}"


def run_facts(run: Run) -> RunFacts:
    begin, end = run.begin, run.end
    steps = [
        (
            entry.step,
            str(entry.body.get("status", "")),
            "; ".join(filter(None, (entry.body.get("reason"), *entry.body.get("notes", ())))),
        )
        for entry in run.entries
        if entry.kind == "result"
    ]
    return RunFacts(
        name=run.name,
        command=str(begin.get("command", "")),
        target=str(begin.get("target", "")),
        began=str(begin.get("at", "")),
        outcome=str(end.get("outcome", "did not finish")),
        caller=str(begin.get("caller", "")),
        responder=str(begin.get("responder", "")),
        host=str(begin.get("host", "")),
        version=str(begin.get("kit", "")),
        options=_chosen_options(run),
        steps=steps,
        entries=run.entries,
    )


def _chosen_options(run: Run) -> list[tuple[str, str]]:
    """The options that differ from their defaults; all of them where the playbook is unknown."""
    options = dict(run.begin.get("options") or {})
    book = playbook(run)
    defaults = vars(book.options()) if book else {}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in defaults.items()}
    return [(k, json.dumps(v)) for k, v in options.items() if k not in plain or plain[k] != v]
