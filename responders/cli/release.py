"""`cordon release`: undo a response, from its record."""

from __future__ import annotations

from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary


@boundary
def release(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="What was contained: its id, or what was given then, such as an address.",
        ),
    ],
    case: shared.CaseId,
    dry_run: shared.DryRun = False,
    despite_claim: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOLDER",
            help="Release although this case or responder claims the target in the vault. "
            "Dangerous: it opens what they may hold. Can be given several times.",
        ),
    ] = None,
    *,
    common: shared.Common,
) -> int:
    """Restore from the record what was there before the response.

    Anything changed since is left alone and reported.
    """
    from responders.cli import show
    from responders.cli.watching import watching
    from responders.respond import Request
    from responders.respond import release as undo

    still_open = 0 if dry_run else shared.close_openings(common, shared.check_case(case))
    with watching() as watch:
        request = Request(
            "release",
            target,
            shared.check_case(case),
            common.responder,
            common.access,
            dry_run=dry_run,
            despite_claims=tuple(despite_claim or ()),
            watch=watch,
        )
        report = undo(request, common.tell)
    return max(still_open, show.report(report, as_json=common.as_json))
