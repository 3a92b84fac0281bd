"""`cordon vpc release`: let a VPC's owner delete it."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.cli.commands import Commands

app = Commands(no_args_is_help=True, help="Remove the prepared security groups from a VPC.")


@app.command()
@boundary
def release(
    vpc: Annotated[
        str,
        typer.Argument(
            metavar="VPC",
            help="Id of the VPC that is to be deleted, such as vpc-0123456789abcdef0.",
        ),
    ],
    region: Annotated[str, typer.Option("--region", metavar="REGION", help="Region of the VPC.")],
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Remove the prepared security groups from a VPC, so that its owner can delete it.

    The VPC is tagged, so that the next `pulumi up` leaves it alone.
    """
    from contract import TAG_IGNORE
    from responders.aws import Aws
    from responders.cli import show
    from responders.errors import BadInput
    from responders.vpc_release import leave_vpc

    if not re.fullmatch(r"vpc-[0-9a-f]{8,17}", vpc):
        raise BadInput(f"{vpc!r} is not the id of a VPC", "Give one such as vpc-0123456789abcdef0.")
    left = leave_vpc(Aws(common.at(region), read_only=dry_run), vpc, region, dry_run=dry_run)
    if common.as_json:
        show.document(
            {
                "schema": 1,
                "command": "vpc release",
                "target": vpc,
                "region": region,
                "outcome": "planned" if dry_run else "released",
                "groups": list(left.groups),
            }
        )
        return 0
    verb = "Would remove" if dry_run else "Removed"
    what = ", ".join(left.groups) or "no group (none was prepared)"
    show.out().print(show.plain(f"{verb} {what}; {vpc} carries the tag {TAG_IGNORE}=true."))
    if not dry_run:
        show.err().print(
            show.plain("An instance in this VPC can't be isolated from prepared groups any more.")
        )
    return 0
