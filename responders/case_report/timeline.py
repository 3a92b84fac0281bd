"""One timeline over all runs of a case and the events that its hunts found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from responders.case_report.model import Moment
from responders.json_values import JsonObject
from responders.record.run import Run


def moments_of(runs: Sequence[Run], findings: Sequence[JsonObject]) -> Iterator[Moment]:
    for run in runs:
        yield from _moments(run)
    for finding in findings:
        for event in finding.get("events", ()):
            service = str(event.get("service", "")).partition(".")[0]
            about = " ".join(map(str, event.get("things") or ()))
            failed = f" failed: {event['error']}" if event.get("error") else ""
            yield Moment(
                str(event.get("time", "")),
                "hunt",
                f"{service}:{event.get('name', '')}{failed}",
                " ".join(
                    filter(None, (about, f"by {event.get('actor', '')}", event.get("region")))
                ),
            )


def _moments(run: Run) -> Iterator[Moment]:
    """What a run began, changed and ended with; looks that changed nothing are left out."""
    command = f"{run.begin.get('command', '?')} {run.begin.get('target', '')}".strip()
    for entry in run.entries:
        at = str(entry.body.get("at", ""))
        match entry.kind:
            case "begin" | "resume":
                yield Moment(
                    at, "response", f"{command}: {entry.kind}", str(run.begin.get("caller", ""))
                )
            case "result" if entry.body.get("status") in ("done", "failed"):
                reason = str(entry.body.get("reason") or "")
                yield Moment(at, "response", f"{entry.step}: {entry.body['status']}", reason)
            case "undone" if entry.body.get("restored"):
                restored = ", ".join(map(str, entry.body["restored"]))
                yield Moment(at, "response", f"{entry.step}: restored", restored)
            case "end" | "interrupted":
                outcome = str(entry.body.get("outcome", entry.kind))
                yield Moment(at, "response", f"{command}: {outcome}")
