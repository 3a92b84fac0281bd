"""Shares the case's snapshots with the forensic account: those under the kit's key, complete."""

from __future__ import annotations

from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.json_values import Json
from responders.permissions import allow
from responders.scene import Scene
from responders.volumes import snapshots
from responders.volumes.snapshots import EVIDENCE_ONLY, SNAPSHOTS


class ShareSnapshots(Action[Scene]):
    """The forensic account may make volumes of every snapshot of the case, or of its copy."""

    name = "share-snapshots"
    collects = True
    permissions = (
        allow(
            "ec2:ModifySnapshotAttribute",
            on=SNAPSHOTS,
            # `ec2:Add/group` is there when a call would make the snapshot public.
            when={**EVIDENCE_ONLY, "Null": {"ec2:Add/group": "true"}},
            because="shares evidence snapshots with the forensic account",
            risk="can share evidence with any one account, never with everybody",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Original to the snapshot to share for it (None: not complete yet) and its accounts."""
        account, key = incident.manifest.forensic_account, incident.manifest.key_arn
        if not account or account == incident.account:
            raise Skip("no other account is prepared to examine evidence")
        client = incident.client("ec2")
        found = snapshots.of_case(client, incident.case, incident.target)
        copies = snapshots.copies(found)
        chosen = {
            s.id: s if s.key == key and key else copies.get(s.id)
            for s in snapshots.originals(found)
        }
        if not chosen:
            raise Skip(f"the case has no snapshot of {incident.target} yet")
        asked = {
            original: incident.aws.spawn(snapshots.shared_with, client, s.id)
            for original, s in chosen.items()
            if s and s.complete
        }
        return {
            original: {
                "snapshot": s.id if s and original in asked else None,
                "with": asked[original].result() if original in asked else [],
            }
            for original, s in chosen.items()
        }

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each snapshot that the forensic account can't use."""
        account = incident.manifest.forensic_account
        return tuple(
            f"{original}: {state['snapshot'] or 'its copy'} is not shared with {account}"
            for original, state in observation.items()
            if account not in state["with"]
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Shares those that are complete; `Skip`, incomplete, when some are not."""
        account = incident.manifest.forensic_account

        def share(snapshot: str) -> None:
            incident.client("ec2").modify_snapshot_attribute(
                SnapshotId=snapshot,
                Attribute="createVolumePermission",
                OperationType="add",
                UserIds=[account],
            )

        ready = [s["snapshot"] for s in observation.values() if s["snapshot"]]
        todo = [s["snapshot"] for s in observation.values() if account not in s["with"]]
        incident.aws.each(share, [s for s in todo if s is not None])
        if len(ready) < len(observation):
            waiting = ", ".join(o for o, s in observation.items() if not s["snapshot"])
            raise Skip(
                f"still to come: {waiting} has no complete copy under the kit's key "
                f"(`cordon snapshots --case {incident.case}` goes on)",
                incomplete=True,
            )

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: who examines the evidence keeps it."""
        raise Skip("the snapshots stay shared with the forensic account")

    def restored(self, before: Json, now: Json) -> bool:
        """Whom it is shared with counts; that it is complete by now does not."""
        return bool(now is not None and before["with"] == now["with"])
