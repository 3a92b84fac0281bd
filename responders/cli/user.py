"""`cordon user`: deny everything to a user, and make all of their credentials inactive."""

from __future__ import annotations

from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary


@boundary
def user(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The user's name, ARN, or unique id (AIDA…).")
    ],
    case: shared.CaseId,
    delete_login: Annotated[
        bool,
        typer.Option(
            "--delete-login",
            help="Also delete the console password. Nobody can restore it; without this it stays, "
            "and the deny makes it useless.",
        ),
    ] = False,
    force_own_key: shared.ForceOwnKey = False,
    region: shared.VaultRegion = None,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Deny everything to a user; make keys, certificates and service passwords inactive."""
    from responders.cli import show
    from responders.playbooks.user import UserOptions
    from responders.respond import Request, respond

    request = Request(
        "user",
        name,
        shared.check_case(case),
        common.responder,
        common.at(region),
        UserOptions(delete_login=delete_login, force_own_key=force_own_key),
        dry_run,
    )
    report = respond(request, common.tell)
    return show.report(report, as_json=common.as_json)
