"""Cases of `lab.mends.snapshot_locks`: what AWS does and plain moto does not."""

from __future__ import annotations

from datetime import timedelta

from tests.lab.mend_cases.account import Account, case, refused, snapshot_of


@case
def a_locked_snapshot_is_not_deleted(account: Account) -> None:
    ec2, snapshot = account.client("ec2"), snapshot_of(account)
    answer = ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=30)
    assert answer["LockState"] == "governance"
    assert answer["LockExpiresOn"] - answer["LockCreatedOn"] == timedelta(days=30)
    listed = ec2.describe_locked_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert [(s["SnapshotId"], s["LockState"]) for s in listed] == [(snapshot, "governance")]
    with refused("SnapshotLocked"):
        ec2.delete_snapshot(SnapshotId=snapshot)
    ec2.unlock_snapshot(SnapshotId=snapshot)
    assert ec2.describe_locked_snapshots()["Snapshots"] == []
    ec2.delete_snapshot(SnapshotId=snapshot)


@case
def compliance_is_final_when_it_has_cooled_off(account: Account) -> None:
    ec2, cooling, final = account.client("ec2"), snapshot_of(account), snapshot_of(account)
    lock = {"LockMode": "compliance", "LockDuration": 30}
    assert ec2.lock_snapshot(SnapshotId=final, **lock)["LockState"] == "compliance"
    answer = ec2.lock_snapshot(SnapshotId=cooling, CoolOffPeriod=1, **lock)
    assert answer["LockState"] == "compliance-cooloff"
    ec2.unlock_snapshot(SnapshotId=cooling)
    with refused("OperationNotPermitted"):
        ec2.unlock_snapshot(SnapshotId=final)
    with refused("OperationNotPermitted"):
        ec2.lock_snapshot(SnapshotId=final, LockMode="compliance", LockDuration=1)
    ec2.lock_snapshot(SnapshotId=final, LockMode="compliance", LockDuration=60)
