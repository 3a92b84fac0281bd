"""`cordon role`: revoke a role's sessions."""

from __future__ import annotations

from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary


@boundary
def role(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The role's name, unique id (AROA…), its ARN or a session's."
        ),
    ],
    case: shared.CaseId,
    session: Annotated[
        str,
        typer.Option("--session", metavar="NAME", help="Revoke only sessions of this name."),
    ] = "",
    instance: Annotated[
        str,
        typer.Option("--instance", metavar="ID", help="Revoke only the sessions of one instance."),
    ] = "",
    deny_all: Annotated[
        bool,
        typer.Option("--deny-all", help="Also deny everything to the role, new sessions included."),
    ] = False,
    renew: shared.Renew = False,
    force_own_key: shared.ForceOwnKey = False,
    region: shared.VaultRegion = None,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Revoke a role's sessions: all, one instance's, or those of one name."""
    from responders.cli import show
    from responders.errors import BadInput
    from responders.locate import INSTANCE_ID
    from responders.playbooks.role import RoleOptions
    from responders.respond import Request, respond

    if session and instance:
        raise BadInput("--session and --instance are two", "Give one of them.")
    if instance and not INSTANCE_ID.fullmatch(instance):
        raise BadInput(f"{instance!r} is not an instance id", "Give one such as i-0abcdef0.")
    request = Request(
        "role",
        name,
        shared.check_case(case),
        common.responder,
        common.at(region),
        RoleOptions(
            session=session or instance, deny_all=deny_all, renew=renew, force_own_key=force_own_key
        ),
        dry_run,
    )
    report = respond(request, common.tell)
    return show.report(report, as_json=common.as_json)
