"""Locks the case's snapshots, so that for a time nobody can delete them.

A pending snapshot can be locked, so this waits for nothing. `governance` (the default) can be
lifted by who may; `compliance` by nobody, not even by AWS, until it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.json_values import Json
from responders.permissions import Permission, allow
from responders.scene import Scene
from responders.volumes import snapshots
from responders.volumes.snapshots import EVIDENCE_ONLY, SNAPSHOTS, Snapshot

STRENGTH = {None: 0, "governance": 1, "compliance": 2}


@dataclass(frozen=True)
class LockSnapshots(Action[Scene]):
    """Every original snapshot of the case is locked at least as asked."""

    mode: str = "governance"
    """`governance`, or `compliance`, which nobody can undo before it ends."""
    days: int = 365

    name = "lock-snapshots"
    collects = True
    permissions: ClassVar[tuple[Permission, ...]] = (
        allow(
            "ec2:LockSnapshot",
            on=SNAPSHOTS,
            when=EVIDENCE_ONLY,
            because="keeps evidence snapshots from being deleted",
            risk="can lock evidence for long, which costs its storage",
        ),
    )

    def wanted(self, found: list[Snapshot]) -> list[Snapshot]:
        """Which of the case's snapshots this step locks."""
        return snapshots.originals(found)

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Snapshot to its lock in force: `mode` (None: no lock) and `days`."""
        client = incident.client("ec2")
        found = snapshots.of_case(client, incident.case, incident.target)
        ids = [s.id for s in self.wanted(found)]
        if not ids:
            raise Skip(f"the case has no such snapshot of {incident.target} yet")
        locks = snapshots.locks(client, ids)
        return {i: locks.get(i, {"mode": None, "days": 0}) for i in ids}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each snapshot without a lock, or with a weaker or shorter one."""
        return tuple(
            f"{snapshot} is not locked for {self.days} days ({self.mode})"
            for snapshot, lock in observation.items()
            if STRENGTH[lock["mode"]] < STRENGTH[self.mode] or lock["days"] < self.days
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Locks what lacks it. A stronger lock that is there is made longer, never weaker."""

        def lock(snapshot: str) -> None:
            has = observation[snapshot]["mode"]
            mode = max(has, self.mode, key=lambda m: STRENGTH[m])
            incident.client("ec2").lock_snapshot(
                SnapshotId=snapshot, LockMode=mode, LockDuration=self.days
            )

        lacking = [s for s in observation if self.lacks(incident, {s: observation[s]})]
        incident.aws.each(lock, lacking)

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: evidence stays locked."""
        raise Skip("the snapshots are evidence, and stay locked until their locks end")

    def restored(self, before: Json, now: Json) -> bool:
        """A lock runs out by itself; that is no drift."""
        return bool(before == now or (now is not None and now["mode"] is None))


class LockCopies(LockSnapshots):
    """The same for the copies under the kit's key."""

    name = "lock-copies"

    def wanted(self, found: list[Snapshot]) -> list[Snapshot]:
        """The copy of each original."""
        return list(snapshots.copies(found).values())
