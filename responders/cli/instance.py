"""`cordon instance`: isolate an instance, preserve it, prove it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary

EVIDENCE = "Evidence"


class LockMode(StrEnum):
    """How snapshots are locked."""

    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


class Tracking(StrEnum):
    """How to deal with connections that are open."""

    CONVERT = "convert"
    DIRECT = "direct"


Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="Instance id, or a public or private IP address.")
]


@boundary
def instance(
    target: Target,
    case: shared.CaseId,
    region: shared.Region = None,
    dry_run: shared.DryRun = False,
    tracking: Annotated[
        Tracking,
        typer.Option(
            help="convert: cut open connections too; lets everything through for the dwell. "
            "direct: isolate at once; tracked connections live until idle."
        ),
    ] = Tracking.CONVERT,
    dwell: Annotated[
        float, typer.Option(min=0, max=600, metavar="S", help="Seconds of convert.")
    ] = 60.0,
    memory: Annotated[
        bool,
        typer.Option(
            "--memory",
            help="Capture memory through Systems Manager. Isolation cuts the way: see "
            "--evidence-first.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    evidence_first: Annotated[
        bool,
        typer.Option(
            "--evidence-first",
            help="Capture memory before isolating, but isolate at the deadline anyway.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    deadline: Annotated[
        float,
        typer.Option(
            min=10, max=86_400, metavar="S", help="Of --evidence-first.", rich_help_panel=EVIDENCE
        ),
    ] = 300.0,
    host_firewall: Annotated[
        bool,
        typer.Option(
            "--host-firewall",
            help="Isolate from the inside too, through Systems Manager (Linux).",
        ),
    ] = False,
    hibernate: Annotated[
        bool,
        typer.Option(
            "--hibernate",
            help="Stop it by hibernation, which keeps its memory on its root volume, and so in "
            "the snapshot. Only where that was configured at launch.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    no_snapshot: Annotated[
        bool,
        typer.Option(
            "--no-snapshot", help="Take no snapshots of its volumes.", rich_help_panel=EVIDENCE
        ),
    ] = False,
    no_copy: Annotated[
        bool,
        typer.Option(
            "--no-copy",
            help="Don't copy the snapshots under the kit's key.",
            rich_help_panel=EVIDENCE,
        ),
    ] = False,
    lock_mode: Annotated[
        LockMode,
        typer.Option(
            help="Of snapshots. compliance can't be undone by anybody until it ends.",
            rich_help_panel=EVIDENCE,
        ),
    ] = LockMode.GOVERNANCE,
    lock_days: Annotated[
        int, typer.Option(min=1, max=36_500, help="Of snapshots.", rich_help_panel=EVIDENCE)
    ] = 365,
    *,
    common: shared.Common,
) -> int:
    """Isolate an instance, record it, and prove what was done."""
    from responders.action import Options
    from responders.cli import show
    from responders.respond import Request, respond

    request = Request(
        "instance",
        target,
        shared.check_case(case),
        common.responder,
        common.at(region),
        Options(
            tracking=tracking.value,
            dwell=dwell,
            memory=memory or evidence_first,
            evidence_first=evidence_first,
            deadline=deadline,
            host_firewall=host_firewall,
            hibernate=hibernate,
            snapshot=not no_snapshot,
            copy=not no_copy,
            lock_mode=lock_mode.value,
            lock_days=lock_days,
        ),
        dry_run,
    )
    report = respond(request, common.tell)
    return show.report(report, as_json=common.as_json)
