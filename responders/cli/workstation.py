"""`cordon workstation`: look into a case's snapshots on a machine of their own."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary

if TYPE_CHECKING:
    from responders.action import Options
    from responders.outcome import Report

app = typer.Typer(
    no_args_is_help=True, help="Open and close a forensic workstation with a case's volumes."
)

Region = Annotated[
    str | None,
    typer.Option("--region", metavar="R", help="Default: the region of the case's instances."),
]


class VolumeType(StrEnum):
    """Kinds of EBS volumes."""

    GP3 = "gp3"
    GP2 = "gp2"
    IO2 = "io2"
    IO1 = "io1"
    ST1 = "st1"
    SC1 = "sc1"


class Hashing(StrEnum):
    """Where disks are hashed before they are mounted."""

    HOST = "host"
    DIRECT = "direct"


@app.command("open")
@boundary
def open_(
    case: shared.CaseId,
    region: Region = None,
    zone: Annotated[
        str, typer.Option("--zone", metavar="AZ", help="Default: the first that is prepared.")
    ] = "",
    snapshot: Annotated[
        list[str] | None,
        typer.Option(
            "--snapshot", metavar="ID", help="Look into this one only; may be given again."
        ),
    ] = None,
    from_account: Annotated[
        str,
        typer.Option(
            "--from-account",
            metavar="ACCOUNT",
            help="In a forensic account: snapshots that this account shared.",
        ),
    ] = "",
    image: Annotated[
        str,
        typer.Option(
            "--image",
            metavar="AMI",
            envvar="CORDON_WORKSTATION_IMAGE",
            help="Image id or public parameter. Default: the newest Amazon Linux 2023.",
        ),
    ] = "",
    machine: Annotated[
        str, typer.Option("--machine", metavar="TYPE", help="Instance type.")
    ] = "m6i.large",
    volume_type: Annotated[VolumeType, typer.Option(help="Of the volumes.")] = VolumeType.GP3,
    size: Annotated[
        int, typer.Option(min=0, metavar="GIB", help="Of each volume. 0: as the snapshot's.")
    ] = 0,
    iops: Annotated[
        int, typer.Option(min=0, help="Of each volume (gp3, io1, io2). 0: the type's own.")
    ] = 0,
    hashing: Annotated[
        Hashing,
        typer.Option(
            "--hash",
            help="Hash each disk before it is mounted: on the workstation, or here by the EBS "
            "direct APIs, which reads all of it.",
        ),
    ] = Hashing.HOST,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Open a case's workstation: its snapshots as volumes, hashed, then mounted read-only.

    It stands in the forensic VPC, with no way in but Session Manager.

    One that is open is used again. It takes 11 volumes.
    """
    from responders.action import Options

    options = Options(
        zone=zone,
        snapshots=tuple(snapshot or ()),
        from_account=from_account,
        image=image,
        machine=machine,
        volume_type=volume_type.value,
        volume_size=size,
        volume_iops=iops,
        hashing=hashing.value,
    )
    return _respond("workstation open", case, region, options, dry_run, common)


@app.command()
@boundary
def close(
    case: shared.CaseId,
    region: Region = None,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Remove a case's workstation and its volumes. Snapshots stay; notes on its own disk don't."""
    from responders.action import Options

    return _respond("workstation close", case, region, Options(), dry_run, common)


def _respond(
    command: str,
    case: str,
    region: str | None,
    options: Options,
    dry_run: bool,
    common: shared.Common,
) -> int:
    from dataclasses import replace

    from responders.cli import show
    from responders.cli.watching import watching
    from responders.record.case import Case
    from responders.respond import Request, respond
    from responders.volumes import workstation

    case_id = shared.check_case(case)
    where = common.at(region or workstation.region_of(Case(case_id)))
    with watching() as watch:
        request = Request(
            command,
            workstation.TARGET,
            case_id,
            common.responder,
            where,
            options,
            dry_run,
            watch,
        )
        report = respond(request, common.tell)
    if dry_run or command == "workstation close":
        return show.report(report, as_json=common.as_json)
    report = replace(report, extra={"workstation": workstation.look(where, report)})
    show.report(report, as_json=common.as_json)
    if not common.as_json:
        _tell(report)
    return report.exit_code


def _tell(report: Report) -> None:
    from responders.cli import show

    found: dict[str, Any] = report.extra["workstation"]
    if found["machine"] is None:
        return
    show.out().print(show.plain(f"Reach it: {found['connect']}", "bold"))
    show.table(
        ("volume", "device", "snapshot", "source", "mounted under"),
        [
            (v["volume"], v["device"], v["snapshot"], v["source"], v["mounted_under"])
            for v in found["volumes"]
        ],
    )
