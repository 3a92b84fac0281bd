"""`cordon key`: make a leaked access key useless, and find what was done with it."""

from __future__ import annotations

from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary

KeyId = Annotated[
    str, typer.Argument(metavar="KEYID", help="The access key's id, AKIA… or ASIA…; no secret.")
]


@boundary
def key(
    key_id: KeyId,
    case: shared.CaseId,
    all_keys: Annotated[
        bool, typer.Option("--all-keys", help="Make the user's other keys inactive too.")
    ] = False,
    no_hunt: Annotated[
        bool, typer.Option("--no-hunt", help="Don't look for what was done with the key.")
    ] = False,
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="A later step: delete the inactive key for good, once its record is in the vault.",
        ),
    ] = False,
    renew: shared.Renew = False,
    force_own_key: shared.ForceOwnKey = False,
    region: shared.VaultRegion = None,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Make a leaked key inactive, deny the sessions minted with it, and hunt in all regions.

    A temporary key (ASIA…) is resolved to its role or user through CloudTrail and revoked there.
    """
    from dataclasses import replace

    from responders.cli import hunt, hunt_progress, show
    from responders.hunt.key_hunt import hunt_key, is_worthwhile
    from responders.identity.key_owner import check_key_id
    from responders.playbooks.key import KeyOptions
    from responders.respond import Request, respond

    request = Request(
        "key",
        check_key_id(key_id),
        shared.check_case(case),
        common.responder,
        common.at(region),
        KeyOptions(all_keys=all_keys, delete=delete, renew=renew, force_own_key=force_own_key),
        dry_run,
    )
    report = respond(request, common.tell)
    if no_hunt or delete or not is_worthwhile(report):
        return show.report(report, as_json=common.as_json)
    if not common.as_json:
        show.report(replace(report, not_hunted=""), as_json=False)
    with hunt_progress.shown() as tell:
        report, hunted = hunt_key(report, request.access, request.responder, tell)
    if common.as_json:
        show.document(report.as_json())
    elif hunted is not None:
        hunt.show_findings(*hunted, lists=True)
        hunt.show_acting(report.outcome, hunted[1].acting)
    else:
        show.error(report.residual_risks[-1], "What else was done with the key is not known.")
    return report.exit_code
