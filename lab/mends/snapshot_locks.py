"""Snapshots can be locked, and a locked one can't be deleted.

Moto has no locks. EBS user guide, "Amazon EBS snapshot lock": governance can be unlocked and
changed; compliance only within its cooling-off period (1 to 72 hours, optional), after which the
lock can only be made longer; 1 to 36,500 days. Pending snapshots can be locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lab.backends import regional, shelf
from lab.gate.answers import answer, check
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.identity import now


@dataclass(frozen=True)
class Lock:
    """A lock of `mode` until `expires`; its cooling-off ends at `cool_off_ends`, if it has one."""

    mode: str
    created: datetime
    expires: datetime
    cool_off_hours: int | None = None
    cool_off_ends: datetime | None = None

    def state(self, at: datetime) -> str:
        """`governance`, `compliance`, `compliance-cooloff` or `expired`."""
        if at >= self.expires:
            return "expired"
        return "compliance-cooloff" if self.cooling(at) else self.mode

    def cooling(self, at: datetime) -> bool:
        """Whether a compliance lock can still be taken back."""
        return self.cool_off_ends is not None and at < self.cool_off_ends

    def described(self, at: datetime) -> dict[str, Any]:
        """As DescribeLockedSnapshots has it."""
        shown = {
            "LockState": self.state(at),
            "LockDuration": (self.expires - self.created).days,
            "CoolOffPeriod": self.cool_off_hours,
            "CoolOffPeriodExpiresOn": self.cool_off_ends,
            "LockCreatedOn": self.created,
            "LockDurationStartTime": self.created,
            "LockExpiresOn": self.expires,
        }
        return {name: value for name, value in shown.items() if value is not None}


def mend() -> None:
    """Answers the three operations; refuses to delete what is locked."""
    answer("ec2", "LockSnapshot")(_lock)
    answer("ec2", "UnlockSnapshot")(_unlock)
    answer("ec2", "DescribeLockedSnapshots")(_describe)
    check("ec2", "DeleteSnapshot")(_check_deletion)


def _locks(call: Call) -> dict[str, Lock]:
    return shelf(regional(call), "locks", dict[str, Lock])


def _lock(call: Call) -> dict[str, Any]:
    snapshot = regional(call).get_snapshot(call.params["SnapshotId"])
    requested = _requested(call)
    lock = _locks(call).get(snapshot.id)
    if (
        lock
        and lock.state(now()) == "compliance"
        and (requested.mode != "compliance" or requested.expires < lock.expires)
    ):
        raise AwsError(
            "OperationNotPermitted",
            f"{snapshot.id} is locked in compliance mode until {lock.expires}",
        )
    _locks(call)[snapshot.id] = requested
    return {"SnapshotId": snapshot.id, **requested.described(now())}


def _requested(call: Call) -> Lock:
    params, at = call.params, now()
    mode, days, until = params["LockMode"], params.get("LockDuration"), params.get("ExpirationDate")
    cool_off = params.get("CoolOffPeriod")
    if (days is None) == (until is None):
        raise AwsError(
            "InvalidParameterCombination", "Specify either LockDuration or ExpirationDate."
        )
    if days is not None and not 1 <= days <= 36_500:
        raise AwsError("InvalidParameterValue", "LockDuration must be 1 to 36500 days.")
    if cool_off is not None and (mode != "compliance" or not 1 <= cool_off <= 72):
        raise AwsError(
            "InvalidParameterValue", "CoolOffPeriod is 1 to 72 hours, for compliance mode only."
        )
    expires = until.replace(tzinfo=at.tzinfo) if until else at + timedelta(days=days or 0)
    ends = at + timedelta(hours=cool_off) if cool_off else None
    return Lock(mode, at, expires, cool_off, ends)


def _unlock(call: Call) -> dict[str, Any]:
    snapshot_id = call.params["SnapshotId"]
    lock = _locks(call).get(snapshot_id)
    if lock is None:
        raise AwsError("InvalidParameterValue", f"{snapshot_id} is not locked")
    if lock.state(now()) == "compliance":
        raise AwsError("OperationNotPermitted", f"{snapshot_id} is locked in compliance mode")
    del _locks(call)[snapshot_id]
    return {"SnapshotId": snapshot_id}


def _describe(call: Call) -> dict[str, Any]:
    ids = set(call.params.get("SnapshotIds", []))
    states = {v for f in call.params.get("Filters", []) for v in f["Values"]}
    shown = [
        {"OwnerId": call.account, "SnapshotId": snapshot_id, **lock.described(now())}
        for snapshot_id, lock in _locks(call).items()
        if not ids or snapshot_id in ids
    ]
    return {"Snapshots": [s for s in shown if not states or s["LockState"] in states]}


def _check_deletion(call: Call) -> None:
    lock = _locks(call).get(call.params["SnapshotId"])
    if lock and lock.state(now()) != "expired":
        raise AwsError(
            "SnapshotLocked", f"{call.params['SnapshotId']} is locked and can't be deleted"
        )
