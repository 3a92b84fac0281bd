"""A case's forensic workstation: what it is made of, and how it is found again, by tags alone.

Machine, volumes and endpoints carry the case and the purpose `workstation`. Anybody who may tag
could plant others, so a machine also has to be in the forensic VPC, and a volume to come from the
snapshot that its tag names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from contract import (
    MOUNT_ROOT,
    TAG_CASE,
    TAG_COPY,
    TAG_ENVIRONMENT,
    TAG_KIT,
    TAG_PURPOSE,
    TAG_SOURCE,
    TAG_STATUS,
    VERSION,
    WORKSTATION,
    Manifest,
    Purpose,
    Status,
    is_snapshot_description,
)
from responders.action import Incident, Subject
from responders.aws import Access, Aws
from responders.errors import BadInput
from responders.outcome import Report
from responders.permissions import allow
from responders.record.case import Case
from responders.trust.trust import Trust
from responders.volumes import snapshots
from responders.volumes.snapshots import Owners, Snapshot

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import (
        FilterTypeDef,
        InstanceTypeDef,
        TagTypeDef,
        VolumeTypeDef,
        VpcEndpointTypeDef,
    )

TARGET = "workstation"
"""What the runs that open and close it have as their target."""
DEVICES = tuple(f"/dev/sd{letter}" for letter in "fghijklmnop")
"""Names for data volumes that every kind of instance takes (EC2 user guide, "Device names")."""
ALIVE = ("pending", "running", "stopping", "stopped")
OWN = {
    "StringEquals": {f"aws:ResourceTag/{TAG_PURPOSE}": Purpose.WORKSTATION.value},
    "Null": {f"aws:ResourceTag/{TAG_CASE}": "false"},
}
"""Condition: something that an open workstation is made of."""
NEW = {
    "StringEquals": {f"aws:RequestTag/{TAG_PURPOSE}": Purpose.WORKSTATION.value},
    "Null": {f"aws:RequestTag/{TAG_CASE}": "false"},
}
"""Condition: it gets those tags in the call that makes it."""

PERMISSIONS = (
    allow(
        "ec2:DescribeInstances",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcEndpoints",
        because="finds a case's workstation by its tags",
    ),
)


class Workstation(Subject):
    """The forensic workstation of a case in one region; it is found by its tags."""


@dataclass(frozen=True)
class SnapshotChoice:
    """Which snapshots to look into: those named, those that an account shared; else all."""

    snapshots: tuple[str, ...] = ()
    from_account: str = ""


ALL_OF_THE_CASE = SnapshotChoice()


@dataclass(frozen=True)
class Disks:
    """What volumes are made; `size` in GiB. 0: as the snapshot has it, or as the kind has it."""

    kind: str = "gp3"
    size: int = 0
    iops: int = 0


LIKE_THE_SNAPSHOT = Disks()


def tags(incident: Incident[Subject], extra: Mapping[str, str] | None = None) -> list[TagTypeDef]:
    """What everything of a workstation carries; the last three satisfy the usual tagging rules."""
    values = {
        **(extra or {}),
        TAG_CASE: incident.case,
        # The guardrails keep what has these from all but the kit's roles: it shows evidence.
        TAG_KIT: VERSION,
        TAG_STATUS: Status.EVIDENCE.value,
        TAG_PURPOSE: Purpose.WORKSTATION.value,
        "Name": f"{WORKSTATION}-{incident.case}",
        "Owner": incident.responder,
        TAG_ENVIRONMENT: "Security",
        "DataClassification": "Restricted",
    }
    return [{"Key": k, "Value": v} for k, v in values.items()]


def token(incident: Incident[Subject], *words: str) -> str:
    """A client token: the same call of the same run is carried out once."""
    text = "/".join((incident.case, incident.run, incident.region, *words))
    # EC2 takes tokens of at most 64 characters.
    return hashlib.sha256(text.encode()).hexdigest()[:48]


def machine(client: EC2Client, manifest: Manifest, case: str) -> InstanceTypeDef | None:
    """The case's workstation, the newest if there are several; None when none is open."""
    answer = client.describe_instances(
        Filters=[
            {"Name": f"tag:{TAG_CASE}", "Values": [case]},
            {"Name": f"tag:{TAG_PURPOSE}", "Values": [Purpose.WORKSTATION.value]},
            {"Name": "instance-state-name", "Values": list(ALIVE)},
        ]
    )
    machines = [
        i
        for r in answer["Reservations"]
        for i in r["Instances"]
        if i.get("VpcId") == manifest.forensic_vpc
    ]
    return max(machines, key=lambda instance: instance["LaunchTime"], default=None)


def volumes(client: EC2Client, case: str) -> list[VolumeTypeDef]:
    """The volumes that were made from snapshots for the case's workstation, by id."""
    pages = client.get_paginator("describe_volumes").paginate(
        Filters=[
            {"Name": f"tag:{TAG_CASE}", "Values": [case]},
            {"Name": f"tag:{TAG_PURPOSE}", "Values": [Purpose.WORKSTATION.value]},
        ]
    )
    from_snapshots = [
        volume
        for page in pages
        for volume in page["Volumes"]
        if volume.get("SnapshotId") and volume["SnapshotId"] == tag(volume, TAG_COPY)
    ]
    return sorted(from_snapshots, key=lambda v: str(v["VolumeId"]))


def tag(described: InstanceTypeDef | VolumeTypeDef | VpcEndpointTypeDef, key: str) -> str:
    """The value of one tag; empty when it is not there."""
    return next((str(t["Value"]) for t in described.get("Tags", ()) if t["Key"] == key), "")


def attached_to(volume: VolumeTypeDef, instance: str) -> str:
    """The device under which a volume is on an instance; empty when it is not."""
    return next(
        (str(a["Device"]) for a in volume.get("Attachments", ()) if a["InstanceId"] == instance), ""
    )


def free_devices(described: InstanceTypeDef) -> list[str]:
    """Names that nothing on an instance has yet, in order."""
    used = {str(m["DeviceName"]) for m in described.get("BlockDeviceMappings", ())}
    return [device for device in DEVICES if device not in used]


def sources(aws: Aws, region: str, case: str, choice: SnapshotChoice) -> list[Snapshot]:
    """The snapshots to look into: those named, those shared by an account, or all of the case.

    One for each source: complete before pending, a copy under the kit's key before its original,
    the newest set before older ones.
    """
    client = aws.client("ec2", region)
    if choice.snapshots:
        named: list[FilterTypeDef] = [{"Name": "snapshot-id", "Values": list(choice.snapshots)}]
        return [s for s in snapshots.find(client, named, **_owners(choice)) if _of(s, case)]
    if choice.from_account:
        described: list[FilterTypeDef] = [{"Name": "description", "Values": [f"IR-*-{case}"]}]
        shared = snapshots.find(client, described, **_owners(choice))
        return [s for s in shared if _of(s, case) and not s.failed]
    return best(snapshots.of_case(client, case))


def _owners(choice: SnapshotChoice) -> Owners:
    if not choice.from_account:
        return {"OwnerIds": ["self"]}
    # A public snapshot of that account would match by owner alone.
    return {"OwnerIds": [choice.from_account], "RestorableByUserIds": ["self"]}


def _of(snapshot: Snapshot, case: str) -> bool:
    """Of the case by its tag, or by its description: tags are not shared with a snapshot."""
    return snapshot.tags.get(TAG_CASE) == case or is_snapshot_description(
        snapshot.description, case
    )


def best(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """One snapshot for each source, in the order of sources."""
    chosen: dict[str, Snapshot] = {}
    for candidate in snapshots:
        if candidate.failed:
            continue
        source = candidate.tags.get(TAG_SOURCE) or candidate.id
        other = chosen.get(source)
        if other is None or _rank(candidate) > _rank(other):
            chosen[source] = candidate
    return [chosen[source] for source in sorted(chosen)]


def _rank(candidate: Snapshot) -> tuple[bool, bool, datetime]:
    # False sorts before True: complete first of all, then a copy, then the newest.
    return (candidate.complete, bool(candidate.copy_of), candidate.started)


def region_of(case: Case) -> str | None:
    """The region of the case's instances; None when this machine's record names none.

    BadInput when there are several: a workstation stands in one.
    """
    runs = [run.begin for run in case.runs() if run.begin.get("command") == "instance"]
    regions = sorted({str(begin["region"]) for begin in runs})
    if len(regions) > 1:
        raise BadInput(
            f"case {case.id} is about several regions: {', '.join(regions)}", "Give --region."
        )
    return next(iter(regions), None)


def look(access: Access, report: Report) -> dict[str, object]:
    """`describe`, after a run."""
    aws = Aws(access, case=report.case, read_only=True)
    manifest = Trust(aws, report.region).manifest
    return describe(aws, report.region, manifest, report.case)


def describe(aws: Aws, region: str, manifest: Manifest, case: str) -> dict[str, object]:
    """The open workstation for people: the machine, how to reach it, and what is on it."""
    client = aws.client("ec2", region)
    workstation = machine(client, manifest, case)
    if workstation is None:
        return {"machine": None, "connect": None, "volumes": []}
    instance = str(workstation["InstanceId"])
    return {
        "machine": instance,
        "connect": f"aws ssm start-session --target {instance} --region {region}",
        "volumes": [
            {
                "volume": v["VolumeId"],
                "snapshot": v["SnapshotId"],
                "source": tag(v, TAG_SOURCE),
                "device": attached_to(v, instance),
                "mounted_under": f"{MOUNT_ROOT}/{v['VolumeId']}/",
            }
            for v in volumes(client, case)
        ],
    }
