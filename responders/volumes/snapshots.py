"""The snapshots of a case, found by their tags, wherever they were taken from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict, Unpack

from contract import TAG_CASE, TAG_COPY, TAG_SOURCE, TAG_STATUS
from responders.permissions import Condition, Permission, allow, together

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import FilterTypeDef, SnapshotTypeDef

PERMISSIONS = (
    allow("ec2:DescribeSnapshots", because="finds a case's snapshots by their tags"),
    allow("ec2:DescribeLockedSnapshots", because="reads how snapshots are locked"),
    allow("ec2:DescribeSnapshotAttribute", because="reads whom a snapshot is shared with"),
)
SNAPSHOTS = "arn:{partition}:ec2:*::snapshot/*"
"""ARN pattern of snapshots, which name no account (Service Authorization Reference, EC2)."""
EVIDENCE_ONLY = {"StringEquals": {f"aws:ResourceTag/{TAG_STATUS}": "evidence"}}
"""Condition: the snapshot is some case's evidence."""


def of_other_accounts(
    *actions: str, through: str, because: str, risk: str, also_when: Condition | None = None
) -> tuple[Permission, Permission]:
    """Use of keys of the accounts whose evidence is examined here, through one service only.

    For those named in `cordon:evidenceAccounts`, and for the organization where that is named. The
    keys' own policies must allow it as well (`cordon:forensicAccount` there).
    """
    condition = together({"StringLike": {"kms:ViaService": through}}, also_when or {})
    members = {"StringEquals": {"aws:ResourceOrgID": "{evidence_organization}"}}
    named, any_account = (
        f"arn:{{partition}}:kms:*:{account}:key/*" for account in ("{evidence_account}", "*")
    )
    return (
        allow(*actions, on=named, when=condition, because=because, risk=risk),
        allow(
            *actions, on=any_account, when=together(condition, members), because=because, risk=risk
        ),
    )


@dataclass(frozen=True)
class Snapshot:
    """One snapshot as DescribeSnapshots says. `size` is in GiB, `percent` 0 to 100."""

    id: str
    volume: str
    """Arbitrary on a copy: `source` tells the true one."""
    state: str
    percent: int
    trouble: str
    size: int
    key: str
    """ARN of the KMS key, empty when not encrypted."""
    description: str
    owner: str
    started: datetime
    tags: Mapping[str, str]

    @property
    def source(self) -> str:
        """`<instance>/<device>/<volume>`; the instance alone until the first retagging."""
        return self.tags.get(TAG_SOURCE, "")

    @property
    def copy_of(self) -> str:
        """The snapshot that this one copies; empty on an original."""
        return self.tags.get(TAG_COPY, "")

    @property
    def failed(self) -> bool:
        """Whether it will never be complete."""
        return self.state == "error"

    @property
    def complete(self) -> bool:
        """Whether all its blocks are stored."""
        return self.state == "completed"

    def __str__(self) -> str:
        if self.complete:
            return f"{self.id} is complete"
        return f"{self.id} is {self.state}, {self.percent} %"


def of_case(client: EC2Client, case: str, instance: str = "") -> list[Snapshot]:
    """The case's snapshots of one instance, or all, originals and copies, by id."""
    filters: list[FilterTypeDef] = [{"Name": f"tag:{TAG_CASE}", "Values": [case]}]
    if instance:
        filters.append({"Name": f"tag:{TAG_SOURCE}", "Values": [instance, f"{instance}/*"]})
    return find(client, filters)


class Owners(TypedDict, total=False):
    """Whose snapshots DescribeSnapshots lists: account ids or `self`, as it names them."""

    OwnerIds: list[str]
    RestorableByUserIds: list[str]


def find(
    client: EC2Client, filters: list[FilterTypeDef], **owners: Unpack[Owners]
) -> list[Snapshot]:
    """Snapshots by filters: this account's own, unless `owners` says otherwise."""
    ownership: Owners = owners or {"OwnerIds": ["self"]}
    pages = client.get_paginator("describe_snapshots").paginate(Filters=filters, **ownership)
    snapshots = (snapshot(s) for page in pages for s in page["Snapshots"])
    return sorted(snapshots, key=lambda s: s.id)


def snapshot(described: SnapshotTypeDef) -> Snapshot:
    """One entry of DescribeSnapshots."""
    percent = str(described.get("Progress") or "0%").rstrip("%")
    return Snapshot(
        id=str(described["SnapshotId"]),
        volume=str(described.get("VolumeId", "")),
        state=str(described["State"]),
        percent=int(percent) if percent.isdecimal() else 0,
        trouble=str(described.get("StateMessage", "")),
        size=int(described.get("VolumeSize", 0)),
        key=str(described.get("KmsKeyId", "")) if described.get("Encrypted") else "",
        description=str(described.get("Description", "")),
        owner=str(described.get("OwnerId", "")),
        started=described["StartTime"],
        tags={t["Key"]: t["Value"] for t in described.get("Tags", ())},
    )


def originals(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Those that are no copies, and did not fail."""
    return [s for s in snapshots if not s.copy_of and not s.failed]


def lost(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Originals that failed, of volumes of which there is no other original."""
    everything = list(snapshots)
    saved = {s.volume for s in originals(everything)}
    return [s for s in everything if s.failed and not s.copy_of and s.volume not in saved]


def copies(snapshots: Iterable[Snapshot]) -> dict[str, Snapshot]:
    """Original to its copy: the one that is furthest, those that failed left out."""
    best: dict[str, Snapshot] = {}
    for candidate in snapshots:
        if not candidate.copy_of or candidate.failed:
            continue
        other = best.get(candidate.copy_of)
        if other is None or (candidate.complete, candidate.percent) > (
            other.complete,
            other.percent,
        ):
            best[candidate.copy_of] = candidate
    return best


class Lock(TypedDict):
    """How a snapshot is locked: `governance` or `compliance`, and for how many days."""

    mode: str
    days: int


def locks(client: EC2Client, ids: Iterable[str]) -> dict[str, Lock]:
    """Snapshot to its lock that is in force: `mode` and `days`; those without are left out."""
    snapshot_ids = sorted(ids)
    in_force: dict[str, Lock] = {}
    for first in range(0, len(snapshot_ids), 100):
        answer = client.describe_locked_snapshots(SnapshotIds=snapshot_ids[first : first + 100])
        for lock in answer["Snapshots"]:
            if lock["LockState"] != "expired":
                mode = str(lock["LockState"]).removesuffix("-cooloff")
                days = int(lock.get("LockDuration", 0))
                in_force[str(lock["SnapshotId"])] = {"mode": mode, "days": days}
    return in_force


def shared_with(client: EC2Client, snapshot_id: str) -> list[str]:
    """Accounts that may use a snapshot, and `all` when it is public."""
    answer = client.describe_snapshot_attribute(
        SnapshotId=snapshot_id, Attribute="createVolumePermission"
    )
    permissions = answer["CreateVolumePermissions"]
    return sorted(
        str(permission.get("UserId") or permission.get("Group")) for permission in permissions
    )
