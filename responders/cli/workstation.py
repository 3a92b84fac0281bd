"""`cordon workstation`: look into a case's snapshots on a machine of their own."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.cli.commands import Commands

if TYPE_CHECKING:
    from responders.outcome import Report
    from responders.playbook import Options

app = Commands(
    no_args_is_help=True, help="Open and close a forensic workstation with the volumes of a case."
)

Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="Region of the workstation. Default: the region of the instances of the case.",
    ),
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
        str,
        typer.Option(
            "--zone",
            metavar="ZONE",
            help="Availability zone of the workstation. Default: the first prepared one.",
        ),
    ] = "",
    snapshot: Annotated[
        list[str] | None,
        typer.Option(
            "--snapshot",
            metavar="ID",
            help="Mount only this snapshot. May be repeated. Default: all snapshots of the case.",
        ),
    ] = None,
    from_account: Annotated[
        str,
        typer.Option(
            "--from-account",
            metavar="ACCOUNT",
            help="In a forensic account: id of the account that shared the snapshots with it.",
        ),
    ] = "",
    image: Annotated[
        str,
        typer.Option(
            "--image",
            metavar="AMI",
            envvar="CORDON_WORKSTATION_IMAGE",
            help="Image id, or public SSM parameter naming one. Default: the newest Amazon "
            "Linux 2023.",
        ),
    ] = "",
    machine: Annotated[
        str, typer.Option("--machine", metavar="TYPE", help="Instance type of the workstation.")
    ] = "m6i.large",
    volume_type: Annotated[
        VolumeType, typer.Option(help="Type of the volumes that are restored from the snapshots.")
    ] = VolumeType.GP3,
    size: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="GIB",
            help="Size of each restored volume in GiB. 0: the size of its snapshot.",
        ),
    ] = 0,
    iops: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="IOPS",
            help="Provisioned IOPS of each restored volume, for gp3, io1 and io2. 0: the default "
            "of the volume type.",
        ),
    ] = 0,
    hashing: Annotated[
        Hashing,
        typer.Option(
            "--hash",
            help="Where each disk is hashed before it is mounted. host: on the workstation. "
            "direct: on this machine through the EBS direct APIs, which downloads every block.",
        ),
    ] = Hashing.HOST,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Open a forensic workstation with the snapshots of a case, hashed and mounted read-only.

    The workstation runs in the forensic VPC and can be reached through Session Manager only. A
    workstation of the case that is open already is used again. It can hold 11 volumes.
    """
    from responders.playbooks.workstation_open import WorkstationOptions

    options = WorkstationOptions(
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
    """Terminate the workstation of a case and delete its volumes.

    The snapshots stay. Whatever was written to the workstation's own disk is lost.
    """

    return _respond("workstation close", case, region, None, dry_run, common)


def _respond(
    command: str,
    case: str,
    region: str | None,
    options: Options | None,
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
