"""`cordon snapshots`: go on with a case's snapshots until they are safe."""

from __future__ import annotations

from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary


@boundary
def snapshots(
    case: shared.CaseId,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", help="Wait until every snapshot is complete and copied. This may take hours."
        ),
    ] = False,
    region: Annotated[
        str | None,
        typer.Option(
            "--region",
            metavar="REGION",
            help="Only snapshots in this region. Default: every region of the case.",
        ),
    ] = None,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Lock the snapshots of a case, copy them under the kit's key, and share them.

    A snapshot can be copied only once it is complete, which may take hours. As long as something
    is still pending the command names it and exits with 3: run it again until it exits with 0.
    """
    from responders.cli import show
    from responders.cli.watching import watching
    from responders.respond import Request
    from responders.volumes.follow_up import follow_up

    still_open = 0 if dry_run else shared.close_openings(common, shared.check_case(case))
    with watching() as watch:
        request = Request(
            "snapshots",
            "",
            shared.check_case(case),
            common.responder,
            common.at(region),
            dry_run=dry_run,
            watch=watch,
        )
        reports = follow_up(request, common.tell, wait=wait)
    code = max((still_open, *(report.exit_code for report in reports)))
    if common.as_json:
        outcomes = [report.outcome for report in reports]
        show.document(
            {
                "schema": 1,
                "case": case,
                "command": "snapshots",
                "outcome": next((o for o in outcomes if o != "preserved"), "preserved"),
                "exit_code": code,
                "runs": [report.as_json() for report in reports],
            }
        )
        return code
    for report in reports:
        show.report(report, as_json=False)
    return code
