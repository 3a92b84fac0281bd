"""Takes one crash-consistent set of snapshots of all the instance's EBS volumes.

The point in time is the call; storing the blocks goes on for minutes or hours, and nothing waits
for it. The case, the status and the instance are tags from the first moment; the device and the
volume follow, because one call gives all snapshots of the set the same tags.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from contract import (
    TAG_CASE,
    TAG_SOURCE,
    TAG_STATUS,
    Status,
    is_snapshot_description,
)
from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed
from responders.errors import Skip
from responders.permissions import allow, ec2, only_tags, together
from responders.scene import InstanceGone, Scene
from responders.tagging import listed
from responders.volumes import snapshot_set, snapshots
from responders.volumes.snapshots import SNAPSHOTS, Snapshot

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
        usable = _usable(incident)
        observation = {}
        for volume in sorted({*devices, *incident.known}):
            of_volume = sorted((s for s in usable if s.volume == volume), key=_age)
            for later in of_volume[1:]:
                incident.note(
                    f"{volume} has several snapshots in this case: {later.id} is later than "
                    f"{of_volume[0].id} (two responders took a set); both are kept as evidence"
                )
            tags = _tags(incident, devices.get(volume), volume)
            observation[volume] = {
                "snapshots": [s.id for s in of_volume],
                "tagged": all(tags.items() <= s.tags.items() for s in of_volume),
            }
        if not observation:
            raise Skip("it has no EBS volume, so there is nothing to snapshot")
        return observation

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each volume without a snapshot, or with one that lacks its tags."""
        lines = [
            f"{volume} has no snapshot in this case"
            for volume, state in observation.items()
            if not state["snapshots"]
        ]
        lines += [
            f"{', '.join(s['snapshots'])} of {volume} lacks its tags"
            for volume, s in observation.items()
            if not s["tagged"]
        ]
        return tuple(lines)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """One set of all volumes that lack a snapshot, or of those that can be; then their tags."""
        devices = _devices(incident)
        created: dict[str, str] = {}
        failures: list[str] = []
        lacking = {volume for volume, state in observation.items() if not state["snapshots"]}
        if lacking:
            # Another responder may have taken the set since the look before. A look right before
            # the call leaves a moment only, in which a second set can come about.
            lacking -= {s.volume for s in _usable(incident)}
        if lacking:
            created, failures = snapshot_set.create(
                incident, devices, [volume for volume in devices if volume in lacking]
            )
        # Looked at again: the answer may have been lost, and what was made is tagged all the same.
        volumes = {s.id: s.volume for s in _usable(incident)} | created

        def tag(snapshot_id: str) -> None:
            tags = _tags(incident, devices.get(volumes[snapshot_id]), volumes[snapshot_id])
            incident.client("ec2").create_tags(Resources=[snapshot_id], Tags=listed(tags))

        complete = {i for s in observation.values() if s["tagged"] for i in s["snapshots"]}
        try:
            incident.aws.each(tag, sorted(set(volumes) - complete))
        except SomeFailed as error:
            failures += error.told
        if failures:
            raise SomeFailed(failures)

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: snapshots are evidence."""
        raise Skip("the snapshots are evidence, and stay")


def _age(snapshot: Snapshot) -> tuple[datetime, str]:
    return snapshot.started, snapshot.id


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
    originals = snapshots.originals(
        snapshots.of_case(incident.client("ec2"), incident.case, incident.target)
    )
    fresh = [
        s
        for s in originals
        if s.started >= incident.started - SKEW
        and is_snapshot_description(s.description, incident.case)
    ]
    for other in originals:
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
