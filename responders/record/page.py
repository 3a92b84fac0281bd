"""A case as one HTML page, for those who were not there: from the journal alone, all of it escaped.

The page needs nothing from the network, runs no script, and says whether the record verifies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from responders.record.case import Case, Run
from responders.record.journal import now
from responders.record.verify import local_faults

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; color: #1b1f24 }
h1, h2 { line-height: 1.2 }
h2 { margin-top: 2.5rem; border-top: 1px solid #d0d7de; padding-top: 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid #eaeef2; overflow-wrap: anywhere }
code, pre { font: 13px ui-monospace, monospace } pre { white-space: pre-wrap; margin: 0 }
.failed, .faults { color: #b3261e; font-weight: 600 } .done { color: #1a7f37 }
.skipped, .already { color: #57606a } summary { cursor: pointer }
"""


def page(case: Case) -> str:
    """The report, a whole HTML document, of what can be read; what is damaged is told."""
    runs = case.runs()
    faults = local_faults(case)
    body = "\n".join([*_head(case, runs, faults), *(line for run in runs for line in _run(run))])
    title = escape(f"Case {case.id}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _head(case: Case, runs: Sequence[Run], faults: Sequence[str]) -> Iterator[str]:
    yield f"<h1>Case {escape(case.id)}</h1>"
    yield f"<p>Written {escape(now())} from {len(runs)} runs on this machine. Times are UTC.</p>"
    if faults:
        yield '<p class="faults">The record does not verify:</p><ul class="faults">'
        yield from (f"<li>{_text(fault)}</li>" for fault in faults)
        yield "</ul>"
    else:
        yield (
            "<p>The record on this machine verifies: every entry follows the one before it, and "
            "every piece of evidence has the hash that the journal holds. "
            "<code>cordon case verify</code> also compares it with the vault.</p>"
        )
    yield from _table(
        ("began", "command", "target", "region", "responder", "outcome"),
        [
            (
                run.begin.get("at"),
                run.begin.get("command"),
                run.begin.get("target"),
                run.begin.get("region"),
                run.begin.get("responder"),
                run.end.get("outcome", "did not finish"),
            )
            for run in runs
        ],
    )


def _run(run: Run) -> Iterator[str]:
    begin, end = run.begin, run.end
    yield f"<h2>{_text(begin.get('command'))} {_text(begin.get('target'))}</h2>"
    yield f"<p>Run <code>{_text(run.name)}</code>, by <code>{_text(begin.get('caller'))}</code>, "
    outcome = _text(end.get("outcome", "unfinished"))
    yield f"account {_text(begin.get('account'))}: <b>{outcome}</b>."
    yield f" Options: <code>{_json(begin.get('options', {}))}</code></p>"
    steps = [entry.body for entry in run.entries if entry.kind == "result"]
    if steps:
        yield "<h3>Steps</h3>"
        yield "<table><tr><th>ended</th><th>step</th><th>status</th><th>why</th></tr>"
        yield from (_step(body) for body in steps)
        yield "</table>"
    risks = list(dict.fromkeys(str(risk) for body in steps for risk in body.get("risks", ())))
    if risks:
        yield "<h3>Residual risks</h3><ul>"
        yield from (f"<li>{_text(risk)}</li>" for risk in risks)
        yield "</ul>"
    yield from _evidence(run)
    yield from _entries(run)


def _step(body: Any) -> str:
    status = str(body.get("status"))
    notes = "".join(f"<br>{_text(note)}" for note in body.get("notes", ()))
    return (
        f"<tr><td>{_text(body.get('at'))}</td><td>{_text(body.get('step'))}</td>"
        f'<td class="{escape(status)}">{escape(status)}</td>'
        f"<td>{_text(body.get('reason') or '')}{notes}</td></tr>"
    )


def _evidence(run: Run) -> Iterator[str]:
    listed = [entry.body for entry in run.entries if entry.kind == "evidence"]
    if listed:
        yield "<h3>Evidence</h3>"
        yield from _table(
            ("saved", "name", "bytes", "SHA-256"),
            [(b.get("at"), b.get("name"), b.get("bytes"), b.get("sha256")) for b in listed],
        )


def _entries(run: Run) -> Iterator[str]:
    """The chain of custody: every entry with its hash, and what it says."""
    yield f"<details><summary>Journal, {len(run.entries)} entries</summary><table>"
    yield "<tr><th>entry</th><th>SHA-256, and what it holds</th></tr>"
    for entry in run.entries:
        yield (
            f"<tr><td>{entry.number} {_text(entry.kind)}</td><td><code>{entry.sha256}</code>"
            f"<pre>{_json(entry.body)}</pre></td></tr>"
        )
    yield "</table></details>"


def _table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield "<table><tr>" + "".join(f"<th>{escape(header)}</th>" for header in headers) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>"
    yield "</table>"


def _text(value: Any) -> str:
    """Text that anybody could have written: no markup, and no control character, for a page is
    also printed on terminals."""
    text = "" if value is None else str(value)
    return escape(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    )


def _json(value: Any) -> str:
    return escape(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True))
