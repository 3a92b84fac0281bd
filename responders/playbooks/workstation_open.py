"""Opens a case's forensic workstation: everything is checked before anything is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contract import Manifest
from responders.actions.attach_volumes import AttachVolumes, no_room
from responders.actions.hash_snapshots import HashSnapshots
from responders.actions.mount_volumes import MountVolumes
from responders.actions.open_endpoints import OpenEndpoints
from responders.actions.open_machine import OpenMachine
from responders.actions.restore_volumes import RestoreVolumes
from responders.aws import Aws
from responders.errors import BadInput
from responders.graph import AnyStep, Step
from responders.json_values import Json
from responders.locate import Located
from responders.outcome import NOT_CONTAINED, Verdict, judge_work
from responders.playbook import Options, Playbook
from responders.record.case import Case
from responders.runner import StepReport
from responders.trust import forensic_vpc
from responders.trust.trust import Trust
from responders.volumes import workstation
from responders.volumes.images import image_of
from responders.volumes.snapshots import Snapshot
from responders.volumes.workstation import DEVICES, TARGET, Disks, SnapshotChoice, Workstation

IOPS_TYPES = ("gp3", "io1", "io2")
IOPS_NEEDED = ("io1", "io2")


@dataclass(frozen=True)
class WorkstationOptions(Options):
    """Where the machine stands, what it is, and which snapshots it looks into.

    `volume_size` in GiB, 0: as the snapshot has it. `hashing`: `host` or `direct`.
    """

    zone: str = ""
    image: str = ""
    machine: str = "m6i.large"
    volume_type: str = "gp3"
    volume_size: int = 0
    volume_iops: int = 0
    snapshots: tuple[str, ...] = ()
    hashing: str = "host"
    from_account: str = ""

    @property
    def choice(self) -> SnapshotChoice:
        """Which snapshots to look into."""
        return SnapshotChoice(self.snapshots, self.from_account)

    @property
    def disks(self) -> Disks:
        """What volumes are made of them."""
        return Disks(self.volume_type, self.volume_size, self.volume_iops)


class OpenPlaybook(Playbook[Workstation, WorkstationOptions]):
    """The workstation is open only if every step holds."""

    options = WorkstationOptions

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[Workstation]:
        """There is one workstation for a case and a region."""
        return Located(region or aws.home_region, TARGET, Workstation())

    def recorded(self, aws: Aws, begin: Mapping[str, Json]) -> Located[Workstation]:
        """The workstation in that run's region."""
        return Located(str(begin["region"]), TARGET, Workstation(), str(begin["account"]))

    def check(
        self, aws: Aws, located: Located[Workstation], options: WorkstationOptions, case: Case
    ) -> None:
        """BadInput, and nothing made, when it could not be opened as asked."""
        manifest = prepared_manifest(aws, located.region)
        if not (manifest.subnets and manifest.workstation_profile and manifest.workstation_group):
            raise BadInput(
                f"{located.region} has no complete forensic VPC",
                "Run `pulumi up` with the forensics stack there.",
            )
        _check_closed(aws, located.region, manifest)
        _check_zone(aws, located.region, manifest, options, case)
        _check_volumes(options)
        chosen = workstation.sources(aws, located.region, case.id, options.choice)
        _check_sources(located.region, chosen, options, case)
        _check_room(aws, located.region, manifest, chosen, case)
        image_of(aws, located.region, options.machine, options.image)

    def steps(self, options: WorkstationOptions) -> tuple[Step[Workstation], ...]:
        """Disks are hashed before anything is mounted; closing is a playbook of its own."""
        direct = options.hashing == "direct"
        return (
            Step(OpenEndpoints(options.zone)),
            Step(OpenMachine(options.zone, options.image, options.machine)),
            Step(RestoreVolumes(options.choice, options.disks, options.zone)),
            Step(AttachVolumes(), needs=(OpenMachine, RestoreVolumes)),
            *((Step(HashSnapshots(options.choice)),) if direct else ()),
            Step(
                MountVolumes(hashes=not direct),
                after={HashSnapshots: None},
                needs=(AttachVolumes, OpenEndpoints),
            ),
        )

    def judge(
        self,
        graph: Sequence[AnyStep],
        reports: Sequence[StepReport],
        *,
        dry_run: bool,
        interrupted: bool,
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


def prepared_manifest(aws: Aws, region: str) -> Manifest:
    """What the region has prepared; BadInput when there is no forensic VPC in it."""
    manifest = Trust(aws, region).manifest
    if not manifest.forensic_vpc:
        raise BadInput(
            f"no forensic VPC is prepared in {region}",
            "Run `pulumi up` with the forensics stack there, or give another --region.",
        )
    return manifest


def _check_closed(aws: Aws, region: str, manifest: Manifest) -> None:
    """BadInput unless the forensic VPC is proven to have no way out."""
    if faults := list(forensic_vpc.faults_of(aws, region, manifest)):
        raise BadInput(
            f"the forensic VPC {manifest.forensic_vpc} of {region} is not closed: "
            f"{'; '.join(faults)}",
            "Nothing was made. `cordon ready` names what to do; `pulumi up --refresh` puts back "
            "what was prepared.",
        )


def _check_zone(
    aws: Aws, region: str, manifest: Manifest, options: WorkstationOptions, case: Case
) -> None:
    if options.zone and options.zone not in manifest.subnets:
        raise BadInput(
            f"the forensic VPC of {region} has no subnet in {options.zone!r}",
            f"Give one of {', '.join(sorted(manifest.subnets))}.",
        )
    machine = workstation.machine(aws.client("ec2", region), manifest, case.id)
    where = machine and str(machine["Placement"]["AvailabilityZone"])
    if where and options.zone and options.zone != where:
        raise BadInput(
            f"the workstation of case {case.id} is open in {where}, not in {options.zone}",
            "Leave out --zone, or close it first: `cordon workstation close`.",
        )


def _check_volumes(options: WorkstationOptions) -> None:
    if options.volume_iops and options.volume_type not in IOPS_TYPES:
        raise BadInput(
            f"volumes of type {options.volume_type} take no --iops",
            f"Use --volume-type {', '.join(IOPS_TYPES)}.",
        )
    if not options.volume_iops and options.volume_type in IOPS_NEEDED:
        raise BadInput(f"volumes of type {options.volume_type} need --iops", "Give --iops.")


def _check_sources(
    region: str, chosen: Sequence[Snapshot], options: WorkstationOptions, case: Case
) -> None:
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
    on_volumes = {str(v["SnapshotId"]) for v in workstation.volumes(client, case.id)}
    snapshot_ids = on_volumes | {s.id for s in chosen}
    machine = workstation.machine(client, manifest, case.id)
    own = {str(v["VolumeId"]) for v in workstation.volumes(client, case.id)}
    mappings = machine.get("BlockDeviceMappings", ()) if machine else ()
    foreign = [
        m for m in mappings if m["DeviceName"] in DEVICES and m["Ebs"]["VolumeId"] not in own
    ]
    if len(snapshot_ids) + len(foreign) > len(DEVICES):
        raise BadInput(no_room(len(snapshot_ids)), "Nothing was made.")


PLAYBOOK = OpenPlaybook()
