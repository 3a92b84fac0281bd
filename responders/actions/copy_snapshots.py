"""Copies the case's snapshots under the kit's key, where they are not under it already.

Only then can they be shared, and only then does nobody else's key decide whether they can be read.
A copy can begin when its original is complete, and 20 at a time run in a region: so this step does
what can be done now, says what is still to come, and is run again (`cordon snapshots`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import TAG_CASE, TAG_COPY, TAG_STATUS, Status
from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, code_of, explain
from responders.errors import Skip
from responders.host.call_once import once
from responders.json_values import Json, JsonObject
from responders.permissions import allow
from responders.scene import Scene
from responders.tagging import LIMIT, listed, only_kit_tags, with_fewer, writable
from responders.volumes import snapshots
from responders.volumes.snapshots import SNAPSHOTS, Snapshot

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import CopySnapshotRequestTypeDef

AT_ONCE = 20
"""Copies under way in one destination region; a quota that can't be raised."""
EVERY = 15.0
"""Seconds between two looks while waiting."""
LONGEST = 24 * 3600.0
"""Seconds after which waiting is given up; running it again goes on."""
THROUGH_EC2 = {"StringLike": {"kms:ViaService": "ec2.*"}}
KEYS = "arn:{partition}:kms:*:{account}:key/*"


class CopyFailed(Exception):
    """EC2 gave up on a snapshot or a copy; the text says which and why."""


@dataclass(frozen=True)
class CopySnapshots(Action[Scene]):
    """Every snapshot of the case is under the kit's key, or has a complete copy that is."""

    is_wanted: bool = True
    waits: bool = False
    """Whether it waits until all are copied, which may take hours."""

    name = "copy-snapshots"
    collects = True
    permissions = (
        allow(
            "ec2:CopySnapshot",
            on=SNAPSHOTS,
            when={"StringEquals": {f"aws:RequestTag/{TAG_STATUS}": Status.EVIDENCE.value}},
            because="makes copies that are tagged as evidence from the first moment",
        ),
        # No condition: the reference gives this action no key for the tags of the source.
        allow(
            "ec2:CopySnapshot",
            on="arn:{partition}:ec2:*::snapshot/snap-*",
            because="reads the original of a copy: a new snapshot has no id yet",
            risk="can copy any snapshot whose key it may use; the copy stays in this account",
        ),
        allow(
            "kms:DescribeKey",
            "kms:Decrypt",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
            "kms:GenerateDataKeyWithoutPlaintext",
            on=KEYS,
            when=THROUGH_EC2,
            because="EC2 reads the original under its key and writes the copy under the kit's",
            risk="only inside EC2: the role never sees a key or plain data",
        ),
        allow(
            "kms:CreateGrant",
            on=KEYS,
            when={**THROUGH_EC2, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            because="lets EC2 use the keys while the copy runs",
            risk="only for EC2: the role can grant a key to nobody else",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Original to its copy (None: none), and what is still to come."""
        key = incident.manifest.key_arn
        if not self.is_wanted:
            raise Skip("not asked for")
        if not key:
            raise Skip(f"no key is prepared in {incident.region} to copy under", incomplete=True)
        found = snapshots.of_case(incident.client("ec2"), incident.case, incident.target)
        wanted = snapshots.originals(found) + snapshots.lost(found)
        if not wanted:
            raise Skip(f"the case has no snapshot of {incident.target} yet")
        copies = snapshots.copies(found)
        for failed in (s for s in found if s.copy_of and s.failed):
            incident.note(f"{failed.id}, a copy of {failed.copy_of}, failed: {failed.trouble}")
        return {s.id: _state(s, copies.get(s.id), key) for s in wanted}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each snapshot that is not yet safe under the kit's key."""
        return tuple(str(state["left"]) for state in observation.values() if state["left"])

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Starts the copies that can start; with `wait`, goes on until all are complete.

        `Skip`, incomplete, while some are still to come; `CopyFailed` when EC2 gives up on one.
        """
        begun: set[str] = set()

        def finished() -> bool:
            _start(incident, begun)
            now = self.observe(incident)
            incident.watch("copying snapshots", sum(s["percent"] for s in now.values()) / len(now))
            _refuse_failed(incident, begun)
            return not self.lacks(incident, now)

        limit = LONGEST if self.waits else 0.0
        if finished() or (limit and incident.wait_for(finished, seconds=limit, every=EVERY)):
            return
        left = "; ".join(self.lacks(incident, self.observe(incident)))
        raise Skip(
            f"still to come: {left} (`cordon snapshots --case {incident.case}` goes on)",
            incomplete=True,
        )

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: copies are evidence."""
        raise Skip("the copies are evidence, and stay")

    def restored(self, before: Json, now: Json) -> bool:
        """Progress is no change; which copy there is counts."""
        return bool(now is not None and before["copy"] == now["copy"])


def _state(original: Snapshot, copy: Snapshot | None, key: str) -> JsonObject:
    """`left` says what is still to come, `percent` (0 to 1) how far both are."""
    if original.failed:
        left = f"{original.id} of {original.volume} failed and can't be copied: {original.trouble}"
        return {"copy": None, "left": left, "percent": 0.0}
    if original.key == key:
        left = "" if original.complete else f"{original}"
        return {"copy": None, "left": left, "percent": original.percent / 100}
    if copy is None:
        left = f"{original.id} is not copied under the kit's key"
        left += "" if original.complete else f": {original}"
        return {"copy": None, "left": left, "percent": original.percent / 200}
    left = "" if copy.complete else f"{copy}, the copy of {original.id}"
    return {"copy": copy.id, "left": left, "percent": 0.5 + copy.percent / 200}


def _start(incident: Incident[Scene], begun: set[str]) -> None:
    """Starts as many copies as the region has room for; adds their ids to `begun`."""
    client, key = incident.client("ec2"), incident.manifest.key_arn
    found = snapshots.of_case(client, incident.case, incident.target)
    have = snapshots.copies(found)
    todo = [
        s for s in snapshots.originals(found) if s.complete and s.key != key and s.id not in have
    ]
    if not todo:
        return
    running = snapshots.find(
        client,
        [{"Name": "status", "Values": ["pending"]}, {"Name": "tag-key", "Values": [TAG_COPY]}],
    )
    failures = []
    for original in todo[: max(AT_ONCE - len(running), 0)]:
        try:
            begun.add(_copy(incident, original))
        except Exception as error:
            if code_of(error) == "ResourceLimitExceeded":
                incident.note("the region has as many copies under way as it takes; the rest wait")
                break
            failures.append(f"{original.id}: {explain(error)}")
    if failures:
        raise SomeFailed(failures)


def _copy(incident: Incident[Scene], original: Snapshot) -> str:
    kit = {
        **only_kit_tags(original.tags),
        TAG_CASE: incident.case,
        TAG_STATUS: Status.EVIDENCE.value,
        TAG_COPY: original.id,
    }
    tags = {**original.tags, **kit}
    request: CopySnapshotRequestTypeDef = {
        "SourceRegion": incident.region,
        "SourceSnapshotId": original.id,
        "Description": original.description,
        "Encrypted": True,
        "KmsKeyId": incident.manifest.key_arn,
    }

    def copy(accepted: dict[str, str]) -> str:
        tagged: CopySnapshotRequestTypeDef = {
            **request,
            "TagSpecifications": [{"ResourceType": "snapshot", "Tags": listed(accepted)}],
        }
        answer = once(incident, "ec2", lambda client: client.copy_snapshot(**tagged))
        return str(answer["SnapshotId"])

    if len(writable(tags)) > LIMIT:
        incident.note(f"{original.id} has too many tags to carry over; the record has them")
        tags = kit
    return with_fewer(
        tags, kit, copy, lambda line: incident.note(f"{original.id} was copied {line}")
    )


def _refuse_failed(incident: Incident[Scene], begun: set[str]) -> None:
    """What failed is a failure, not something still to come. A copy that failed before this run
    was begun anew."""
    found = snapshots.of_case(incident.client("ec2"), incident.case, incident.target)
    told = [
        f"{s.id}, the copy of {s.copy_of}, failed: {s.trouble or 'no reason given'}"
        for s in found
        if s.id in begun and s.failed
    ]
    told += [
        f"{s.id} of {s.volume} failed: {s.trouble or 'no reason given'} (run the response again: "
        "it takes a new one)"
        for s in snapshots.lost(found)
    ]
    if told:
        raise CopyFailed("; ".join(told))
