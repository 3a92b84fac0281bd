"""Opens a case's forensic workstation: everything is checked before anything is made."""

from __future__ import annotations

from collections.abc import Sequence

from contract import Manifest
from responders import prepared
from responders.action import Options
from responders.actions.attach_volumes import AttachVolumes, no_room
from responders.actions.hash_snapshots import HashSnapshots
from responders.actions.mount_volumes import MountVolumes
from responders.actions.open_endpoints import OpenEndpoints
from responders.actions.open_machine import OpenMachine
from responders.actions.restore_volumes import RestoreVolumes
from responders.aws import Aws
from responders.errors import BadInput
from responders.locate import Located
from responders.outcome import NOT_CONTAINED, Verdict, judge_work
from responders.record.case import Case
from responders.runner import Step, StepReport
from responders.volumes import workstation
from responders.volumes.images import image_of
from responders.volumes.snapshots import Snapshot
from responders.volumes.workstation import DEVICES, TARGET

IOPS_TYPES = ("gp3", "io1", "io2")
IOPS_NEEDED = ("io1", "io2")


def locate(aws: Aws, target: str, region: str | None) -> Located:
    """There is one workstation for a case and a region."""
    return Located(region or aws.home_region, TARGET)


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """BadInput, and nothing made, when it could not be opened as asked."""
    manifest = prepared_manifest(aws, located.region)
    if not manifest.subnets or not manifest.workstation_profile or not manifest.workstation_group:
        raise BadInput(
            f"{located.region} has no complete forensic VPC",
            "Run `pulumi up` with the forensics stack there.",
        )
    _check_zone(aws, located.region, manifest, options, case)
    _check_volumes(options)
    chosen = workstation.sources(aws, located.region, case.id, options)
    _check_sources(located.region, chosen, options, case)
    _check_room(aws, located.region, manifest, chosen, case)
    image_of(aws, located.region, options)


def prepared_manifest(aws: Aws, region: str) -> Manifest:
    """What the region has prepared; BadInput when there is no forensic VPC in it."""
    manifest = prepared.manifest(aws, region)
    if manifest is None or not manifest.forensic_vpc:
        raise BadInput(
            f"no forensic VPC is prepared in {region}",
            "Run `pulumi up` with the forensics stack there, or give another --region.",
        )
    return manifest


def _check_zone(aws: Aws, region: str, manifest: Manifest, options: Options, case: Case) -> None:
    if options.zone and options.zone not in manifest.subnets:
        raise BadInput(
            f"the forensic VPC of {region} has no subnet in {options.zone!r}",
            f"Give one of {', '.join(sorted(manifest.subnets))}.",
        )
    found = workstation.machine(aws.client("ec2", region), manifest, case.id)
    where = found and str(found["Placement"]["AvailabilityZone"])
    if where and options.zone and options.zone != where:
        raise BadInput(
            f"the workstation of case {case.id} is open in {where}, not in {options.zone}",
            "Leave out --zone, or close it first: `cordon workstation close`.",
        )


def _check_volumes(options: Options) -> None:
    if options.volume_iops and options.volume_type not in IOPS_TYPES:
        raise BadInput(
            f"volumes of type {options.volume_type} take no --iops",
            f"Use --volume-type {', '.join(IOPS_TYPES)}.",
        )
    if not options.volume_iops and options.volume_type in IOPS_NEEDED:
        raise BadInput(f"volumes of type {options.volume_type} need --iops", "Give --iops.")


def _check_sources(region: str, chosen: Sequence[Snapshot], options: Options, case: Case) -> None:
    if missing := sorted(set(options.snapshots) - {s.id for s in chosen}):
        raise BadInput(
            f"{', '.join(missing)}: no such snapshot of case {case.id} in {region}",
            "Look at `cordon case show`; --from-account for snapshots of another account.",
        )
    if not chosen:
        raise BadInput(
            f"case {case.id} has no snapshot in {region}",
            "Give the region of its snapshots by --region, or their account by --from-account.",
        )
    if waiting := [s for s in chosen if not s.complete]:
        raise BadInput(
            f"not complete yet: {'; '.join(str(s) for s in waiting)}",
            f"`cordon snapshots --case {case.id} --wait` waits; --snapshot chooses others.",
        )
    small = [s for s in chosen if 0 < options.volume_size < s.size]
    if small:
        raise BadInput(
            f"{small[0].id} has {small[0].size} GiB, more than {options.volume_size}",
            "Give a bigger --size, or leave it out.",
        )


def _check_room(
    aws: Aws, region: str, manifest: Manifest, chosen: Sequence[Snapshot], case: Case
) -> None:
    """Every volume needs a device name: those that are there, and those still to be made."""
    client = aws.client("ec2", region)
    there = {str(v["SnapshotId"]) for v in workstation.volumes(client, case.id)}
    wanted = there | {s.id for s in chosen}
    found = workstation.machine(client, manifest, case.id)
    own = {str(v["VolumeId"]) for v in workstation.volumes(client, case.id)}
    mappings = found.get("BlockDeviceMappings", ()) if found else ()
    foreign = [
        m for m in mappings if m["DeviceName"] in DEVICES and m["Ebs"]["VolumeId"] not in own
    ]
    if len(wanted) + len(foreign) > len(DEVICES):
        raise BadInput(no_room(len(wanted)), "Nothing was made.")


def steps(options: Options) -> tuple[Step, ...]:
    """The graph; closing is a playbook of its own."""
    hashing = (Step(HashSnapshots()),) if options.hashing == "direct" else ()
    return (
        Step(OpenEndpoints()),
        Step(OpenMachine()),
        Step(RestoreVolumes()),
        Step(AttachVolumes(), needs=("machine", "volumes")),
        *hashing,
        Step(MountVolumes(), after={"hash": None}, needs=("attach", "endpoints")),
    )


def judge(
    graph: Sequence[Step], reports: Sequence[StepReport], *, dry_run: bool, interrupted: bool
) -> Verdict:
    """`open` only if every step holds."""
    return judge_work(
        reports,
        done="open",
        undone="not-open",
        failed=NOT_CONTAINED,
        dry_run=dry_run,
        interrupted=interrupted,
    )
