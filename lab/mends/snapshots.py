"""Snapshots: of sets, of who owns them, of keys, and who may use them.

Moto's CreateSnapshots has no `State`, copies no tags from the volumes and excludes only the boot
volume; DescribeSnapshots ignores `OwnerIds`; a copy with `Encrypted` alone stays in the clear; the
`CreateVolumePermission` form of ModifySnapshotAttribute does nothing; a shared snapshot stays
invisible to the account that it is shared with. (EC2 API, the operations of these names; EBS user
guide, "Share a snapshot": one under the AWS-managed key can't be.)
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.utils import convert_tag_spec

from lab.backends import regional
from lab.gate.answers import amend, answer, check
from lab.gate.call import Call
from lab.gate.wire import AwsError


def mend() -> None:
    """Patches moto's snapshots and answers CreateSnapshots."""
    snapshot: Any = Snapshot
    backend: Any = EBSBackend
    snapshot.progress = property(lambda self: self.__dict__.get("lab_progress", "100%"))
    _keep_keys(backend)
    _show_shared(backend)
    answer("ec2", "CreateSnapshots")(_create_set)
    amend("ec2", "DescribeSnapshots")(_of_owners)
    amend("ec2", "CopySnapshot")(_encrypt_copy)
    check("ec2", "ModifySnapshotAttribute")(_share)


def set_status(
    account: str, region: str, snapshot_id: str, status: str, progress: str = "0%"
) -> None:
    """Makes a snapshot `pending`, `completed` or `error`, until set otherwise."""
    snapshot: Any = ec2_backends[account][region].snapshots[snapshot_id]
    snapshot.status = status
    snapshot.lab_progress = "100%" if status == "completed" else progress


def _keep_keys(backend: Any) -> None:
    """A snapshot has its volume's key, and a volume its snapshot's."""
    moto_create, moto_volume = backend.create_snapshot, backend.create_volume

    def create_snapshot(self: Any, *args: Any, **kwargs: Any) -> Any:
        snapshot = moto_create(self, *args, **kwargs)
        snapshot.kms_key_id = snapshot.volume.kms_key_id
        return snapshot

    def create_volume(self: Any, *args: Any, **kwargs: Any) -> Any:
        volume = moto_volume(self, *args, **kwargs)
        if volume.snapshot_id and volume.encrypted and not kwargs.get("kms_key_id"):
            volume.kms_key_id = self.get_snapshot(volume.snapshot_id).kms_key_id
        return volume

    backend.create_snapshot = create_snapshot
    backend.create_volume = create_volume


def _show_shared(backend: Any) -> None:
    """Snapshots of other accounts that are shared with this one can be described and used."""
    moto_describe, moto_get = backend.describe_snapshots, backend.get_snapshot

    def describe_snapshots(self: Any, snapshot_ids: Any = None, filters: Any = None) -> Any:
        own = self.snapshots
        self.snapshots = {**_shared_with(self), **own}
        try:
            return moto_describe(self, snapshot_ids, filters)
        finally:
            self.snapshots = own

    def get_snapshot(self: Any, snapshot_id: str) -> Any:
        return _shared_with(self).get(snapshot_id) or moto_get(self, snapshot_id)

    backend.describe_snapshots = describe_snapshots
    backend.get_snapshot = get_snapshot


def _shared_with(backend: Any) -> dict[str, Any]:
    others = [
        account[backend.region_name]
        for name, account in list(ec2_backends.items())
        if name != backend.account_id and backend.region_name in account
    ]
    return {
        snapshot.id: snapshot
        for other in others
        for snapshot in other.snapshots.values()
        if backend.account_id in snapshot.create_volume_permission_userids
        or "all" in snapshot.create_volume_permission_groups
    }


def _create_set(call: Call) -> dict[str, Any]:
    backend = regional(call)
    specification = call.params["InstanceSpecification"]
    instance = backend.get_instance(specification["InstanceId"])
    excluded = set(specification.get("ExcludeDataVolumeIds", []))
    if specification.get("ExcludeBootVolume"):
        excluded.add(instance.block_device_mapping[instance.root_device_name].volume_id)
    volumes = [
        d.volume_id for _, d in instance.get_block_device_mapping if d.volume_id not in excluded
    ]
    if not volumes:
        raise AwsError("InvalidParameterValue", "No volumes are left to snapshot.")
    tags = convert_tag_spec(call.params.get("TagSpecifications", [])).get("snapshot", {})
    snapshots = [
        backend.create_snapshot(volume, call.params.get("Description", "")) for volume in volumes
    ]
    for snapshot in snapshots:
        copied = call.params.get("CopyTagsFromSource") == "volume"
        of_volume = snapshot.volume.get_tags() if copied else []
        snapshot.add_tags(
            {t["key"]: t["value"] for t in of_volume if not t["key"].startswith("aws:")}
        )
        snapshot.add_tags(tags)
    return {"Snapshots": [_described(snapshot) for snapshot in snapshots]}


def _described(snapshot: Any) -> dict[str, Any]:
    return {
        "Description": snapshot.description,
        "Tags": [{"Key": t["key"], "Value": t["value"]} for t in snapshot.get_tags()],
        "Encrypted": snapshot.encrypted,
        "VolumeId": snapshot.volume_id,
        "State": "pending",
        "VolumeSize": snapshot.volume_size,
        "StartTime": snapshot.start_time,
        "Progress": "",
        "OwnerId": snapshot.owner_id,
        "SnapshotId": snapshot.id,
    }


def _of_owners(call: Call, result: dict[str, Any]) -> None:
    owners = {call.account if o == "self" else o for o in call.params.get("OwnerIds", [])}
    if owners:
        result["Snapshots"] = [s for s in result["Snapshots"] if s["OwnerId"] in owners]


def _encrypt_copy(call: Call, result: dict[str, Any]) -> None:
    backend = regional(call)
    snapshot = backend.snapshots[result["SnapshotId"]]
    source = ec2_backends[call.account][call.params["SourceRegion"]].get_snapshot(
        call.params["SourceSnapshotId"]
    )
    if (call.params.get("Encrypted") or source.encrypted) and not snapshot.kms_key_id:
        snapshot.encrypted = True
        same_region = call.params["SourceRegion"] == call.region
        snapshot.kms_key_id = (
            source.kms_key_id if source.encrypted and same_region else default_key(backend)
        )


def default_key(backend: Any) -> str:
    """The ARN of the key that a region's volumes are encrypted with when none is named."""
    return str(backend.default_kms_key_id or backend._create_default_encryption_key())


def _share(call: Call) -> None:
    snapshot = regional(call).get_snapshot(call.params["SnapshotId"])
    form = call.params.get("CreateVolumePermission", {})
    added = form.get("Add", []) or (
        call.params.get("OperationType") == "add"
        and [*call.params.get("UserIds", []), *call.params.get("GroupNames", [])]
    )
    if added and snapshot.encrypted and _is_aws_managed(call, snapshot.kms_key_id):
        raise AwsError(
            "OperationNotPermitted",
            "Encrypted snapshots with EBS default key cannot be shared",
        )
    for change, update in (("Add", "update"), ("Remove", "difference_update")):
        accounts = form.get(change, [])
        users = {p["UserId"] for p in accounts if "UserId" in p}
        groups = {p["Group"] for p in accounts if "Group" in p}
        getattr(snapshot.create_volume_permission_userids, update)(users)
        getattr(snapshot.create_volume_permission_groups, update)(groups)


def _is_aws_managed(call: Call, key: str | None) -> bool:
    keys = regional(call, "kms")
    if key is None:
        return True
    key_record = keys.keys.get(keys.get_key_id(key))
    return key_record is not None and "alias/aws/ebs" in key_record.aliases
