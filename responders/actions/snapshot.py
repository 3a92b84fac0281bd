"""Takes one crash-consistent set of snapshots of all the instance's EBS volumes.

The point in time is the call; storing the blocks goes on for minutes or hours, and nothing waits
for it. The case, the status and the instance are tags from the first moment; the device and the
volume follow, because one call gives all snapshots of the set the same tags.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contract import (
    TAG_CASE,
    TAG_SOURCE,
    TAG_STATUS,
    Status,
    is_snapshot_description,
    snapshot_description,
)
from responders.action import Action, Incident, Observation
from responders.aws import code_of
from responders.errors import Skip
from responders.host.call_once import once
from responders.permissions import allow, ec2, only_tags, together
from responders.scene import InstanceGone, Scene
from responders.volumes import snapshots
from responders.volumes.snapshots import SNAPSHOTS, Snapshot

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateSnapshotsRequestTypeDef,
        InstanceSpecificationTypeDef,
        TagTypeDef,
    )

SKEW = timedelta(minutes=10)
"""How far this machine's clock may be from AWS's."""


class TakeSnapshots(Action[Scene]):
    """Each EBS volume has a snapshot of this case, with description and tags."""

    name = "snapshot"
    collects = True
    permissions = (
        allow(
            "ec2:CreateSnapshots",
            on=(ec2("instance"), ec2("volume")),
            because="snapshots all volumes of the instance at one point in time",
            risk="can snapshot any instance, as evidence: that costs storage, and the role may "
            "read what is evidence",
        ),
        allow(
            "ec2:CreateSnapshots",
            on=SNAPSHOTS,
            when={"StringEquals": {f"aws:RequestTag/{TAG_STATUS}": Status.EVIDENCE.value}},
            because="the snapshots are tagged as evidence from the first moment",
        ),
        allow(
            "ec2:CreateTags",
            on=SNAPSHOTS,
            when={"StringEquals": {"ec2:CreateAction": ["CreateSnapshots", "CopySnapshot"]}},
            because="tags snapshots in the call that makes them",
        ),
        allow(
            "ec2:CreateTags",
            on=SNAPSHOTS,
            when=together(
                {"Null": {f"aws:ResourceTag/{TAG_CASE}": "false"}},
                only_tags(TAG_CASE, TAG_STATUS, TAG_SOURCE),
            ),
            because="adds device and volume to a snapshot's tags",
            risk="can change the case, status and source of a snapshot that belongs to a case",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Volume to its snapshots in this case, and whether their tags are whole."""
        devices = _devices(incident)
        found = _usable(incident)
        observation = {}
        for volume in sorted({*devices, *incident.known}):
            mine = [s for s in found if s.volume == volume]
            wanted = _tags(incident, devices.get(volume), volume)
            observation[volume] = {
                "snapshots": [s.id for s in mine],
                "tagged": all(wanted.items() <= s.tags.items() for s in mine),
            }
        if not observation:
            raise Skip("it has no EBS volume, so there is nothing to snapshot")
        return observation

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each volume without a snapshot, or with one that lacks its tags."""
        told = [
            f"{v} has no snapshot in this case"
            for v, s in observation.items()
            if not s["snapshots"]
        ]
        told += [
            f"{', '.join(s['snapshots'])} of {volume} lacks its tags"
            for volume, s in observation.items()
            if not s["tagged"]
        ]
        return tuple(told)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """One call for all volumes that lack a snapshot; then the tags of each."""
        devices = _devices(incident)
        made: dict[str, str] = {}
        lost: Exception | None = None
        if any(not s["snapshots"] for s in observation.values()):
            done = [v for v, s in observation.items() if s["snapshots"]]
            try:
                made = _create(incident, devices, done)
            except Exception as error:
                lost = error  # the answer, maybe; what was made is tagged below
        volumes = {s.id: s.volume for s in _usable(incident)} | made

        def tag(snapshot_id: str) -> None:
            tags = _tags(incident, devices.get(volumes[snapshot_id]), volumes[snapshot_id])
            incident.client("ec2").create_tags(Resources=[snapshot_id], Tags=_listed(tags))

        whole = {i for s in observation.values() if s["tagged"] for i in s["snapshots"]}
        incident.aws.each(tag, sorted(set(volumes) - whole))
        if lost:
            raise lost

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: snapshots are evidence."""
        raise Skip("the snapshots are evidence, and stay")


def _devices(incident: Incident[Scene]) -> dict[str, str]:
    """Attached EBS volume to its device; empty when the instance is gone and the case knows it."""
    try:
        mappings = incident.subject.instance.get("BlockDeviceMappings", ())
    except InstanceGone:
        if not incident.known:
            raise
        return {}
    return {str(m["Ebs"]["VolumeId"]): str(m["DeviceName"]) for m in mappings if "Ebs" in m}


def _usable(incident: Incident[Scene]) -> list[Snapshot]:
    """The case's snapshots of the instance, as this action takes them.

    Anybody who may tag could plant one that is older than the case: those don't count.
    """
    found = snapshots.originals(
        snapshots.of_case(incident.client("ec2"), incident.case, incident.target)
    )
    fresh = [
        s
        for s in found
        if s.started >= incident.started - SKEW
        and is_snapshot_description(s.description, incident.case)
    ]
    for other in found:
        if other in fresh:
            continue
        incident.note(
            f"{other.id} has the case's tags but is older than this response, or is described "
            "otherwise: not counted"
        )
    return fresh


def _tags(incident: Incident[Scene], device: str | None, volume: str) -> dict[str, str]:
    """What a snapshot carries; the source is not judged when the device is not known any more."""
    tags = {TAG_CASE: incident.case, TAG_STATUS: Status.EVIDENCE.value}
    return {**tags, TAG_SOURCE: f"{incident.target}/{device}/{volume}"} if device else tags


def _create(incident: Incident[Scene], devices: dict[str, str], done: list[str]) -> dict[str, str]:
    """Snapshot to volume, of a new set. `done` are volumes that have theirs."""
    root = incident.subject.instance.get("RootDeviceName")
    spec: InstanceSpecificationTypeDef = {"InstanceId": incident.target}
    if any(devices.get(volume) == root for volume in done):
        spec["ExcludeBootVolume"] = True
    if rest := sorted(v for v in done if v in devices and devices[v] != root):
        spec["ExcludeDataVolumeIds"] = rest
    tags = {
        TAG_CASE: incident.case,
        TAG_STATUS: Status.EVIDENCE.value,
        TAG_SOURCE: incident.target,
    }
    wanted: CreateSnapshotsRequestTypeDef = {
        "InstanceSpecification": spec,
        "Description": snapshot_description(
            incident.responder, datetime.now(UTC).date(), incident.case
        ),
        "TagSpecifications": [{"ResourceType": "snapshot", "Tags": _listed(tags)}],
    }
    with_tags: CreateSnapshotsRequestTypeDef = {**wanted, "CopyTagsFromSource": "volume"}
    try:
        answer = once(incident, "ec2", lambda client: client.create_snapshots(**with_tags))
    except Exception as error:
        if code_of(error) != "TagLimitExceeded":
            raise
        incident.note("a volume has too many tags to copy them all; the record has them")
        answer = once(incident, "ec2", lambda client: client.create_snapshots(**wanted))
    return {str(s["SnapshotId"]): str(s["VolumeId"]) for s in answer["Snapshots"]}


def _listed(tags: dict[str, str]) -> list[TagTypeDef]:
    return [{"Key": k, "Value": v} for k, v in tags.items()]
