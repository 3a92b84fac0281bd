"""Goes on with the snapshots of every instance that a case responded to."""

from __future__ import annotations

import dataclasses

from responders.aws import Aws
from responders.errors import BadInput
from responders.json_values import JsonObject
from responders.outcome import Report
from responders.playbooks import instance
from responders.playbooks.snapshots import SnapshotOptions
from responders.record.case import Case
from responders.respond import Request, respond
from responders.runner import Listener
from responders.volumes.snapshots import locks, of_case


def instances(case: Case) -> dict[str, JsonObject]:
    """Instance to the newest run of the case that responded to it, as it began."""
    begins = [run.begin for run in case.runs() if run.begin.get("command") == "instance"]
    return {str(begin["target"]): dict(begin) for begin in begins}


def follow_up(
    request: Request, listener: Listener = lambda _report: None, *, wait: bool = False
) -> list[Report]:
    """One report for each instance, with the options that its response had.

    BadInput when the case has no record of an instance on this machine.
    """
    recorded = instances(Case(request.case))
    region = request.access.region
    chosen = {i: b for i, b in recorded.items() if region in (None, b["region"])}
    if not chosen:
        raise BadInput(
            f"case {request.case} has no record of an instance"
            + (f" in {region}" if region else " on this machine"),
            f"`cordon case sync --case {request.case}` fetches a case from the vault.",
        )
    return [
        respond(
            dataclasses.replace(
                request,
                command="snapshots",
                target=target,
                access=dataclasses.replace(request.access, region=str(begin["region"])),
                options=_options(begin, wait),
            ),
            listener,
        )
        for target, begin in sorted(chosen.items())
    ]


def _options(begin: JsonObject, wait: bool) -> SnapshotOptions:
    """What the response to the instance chose for its snapshots."""
    chosen = instance.PLAYBOOK.from_journal(begin)
    return dataclasses.replace(chosen.of_snapshots, wait=wait)


def progress(aws: Aws, case: Case) -> list[dict[str, object]]:
    """How far every snapshot of the case is, copies after their originals."""
    regions = sorted({str(begin["region"]) for begin in instances(case).values()})
    lines: list[dict[str, object]] = []
    for region in regions:
        client = aws.client("ec2", region)
        snapshots = of_case(client, case.id)
        locked = locks(client, [s.id for s in snapshots]) if snapshots else {}
        for snapshot in sorted(snapshots, key=lambda s: (s.source, s.copy_of, s.id)):
            lock = locked.get(snapshot.id)
            lines.append(
                {
                    "snapshot": snapshot.id,
                    "region": region,
                    "source": snapshot.source,
                    "copy_of": snapshot.copy_of or None,
                    "state": snapshot.state,
                    "percent": 100 if snapshot.complete else snapshot.percent,
                    "locked": f"{lock['mode']}, {lock['days']} days" if lock else None,
                    "trouble": snapshot.trouble or None,
                }
            )
    return lines
