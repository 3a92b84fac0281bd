"""`cordon instance`: isolate an instance, preserve it, prove it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary


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
        Options(tracking=tracking.value, dwell=dwell),
        dry_run,
    )
    report = respond(request, common.tell)
    return show.report(report, as_json=common.as_json)
