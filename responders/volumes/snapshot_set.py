"""Takes a crash-consistent set of snapshots of an instance, without the volumes that can't be.

EC2 takes all snapshots of a set or none (EC2 API, CreateSnapshots). So where it refuses, the set is
taken without the volumes that the refusal names; where it names none, without each in turn; and
last, a set for each volume. A call whose answer was lost may have been carried out: it is not made
again, but looked for by who called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract import TAG_CASE, TAG_SOURCE, TAG_STATUS, Status, snapshot_description
from responders.action import Incident
from responders.aws import code_of, explain
from responders.host.call_once import THROTTLED, once
from responders.scene import Scene
from responders.tagging import listed, may_pass_with_fewer

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateSnapshotsRequestTypeDef,
        InstanceSpecificationTypeDef,
    )

VOLUME_ID = re.compile(r"vol-[0-9a-f]+")
TRIED_WITHOUT = 12
"""Volumes that are left out in turn: EC2 takes 5 such calls a second, and one set each follows."""
SERVER_ERRORS = {"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable"}
"""AWS's own failures: the call may have been carried out, and no other set fares better."""

Created = dict[str, str]
"""Snapshot to its volume."""


def create(
    incident: Incident[Scene], devices: Mapping[str, str], volumes: Sequence[str]
) -> tuple[Created, list[str]]:
    """The snapshots that could be taken of `volumes`, and a line for each that could not.

    `devices` are all volumes attached to the instance, with their devices.
    """
    try:
        return _one_set(incident, devices, volumes), []
    except Exception as error:
        if not _is_refusal(error) or len(volumes) < 2:
            return {}, [f"{', '.join(volumes)}: {explain(error)}"]
        return _without_the_bad(incident, devices, volumes, error)


def _without_the_bad(
    incident: Incident[Scene], devices: Mapping[str, str], volumes: Sequence[str], error: Exception
) -> tuple[Created, list[str]]:
    named = set(VOLUME_ID.findall(explain(error))) & set(volumes)
    candidates = [named] if named else [{volume} for volume in volumes[:TRIED_WITHOUT]]
    for excluded in candidates:
        good = [volume for volume in volumes if volume not in excluded]
        if not good:
            continue
        try:
            created = _one_set(incident, devices, good)
        except Exception as again:
            if not _is_refusal(again):
                return {}, [f"{', '.join(good)}: {explain(again)}"]
            continue
        incident.risk(
            f"the snapshots of {', '.join(good)} show one moment; those of "
            f"{', '.join(sorted(excluded))}, which were refused in that set, show another or are "
            "missing"
        )
        rest, failures = _one_by_one(incident, devices, sorted(excluded))
        return {**created, **rest}, failures
    incident.risk(
        "the volumes were snapshot one by one, so their snapshots do not show one moment: "
        f"{explain(error)}"
    )
    return _one_by_one(incident, devices, volumes)


def _one_by_one(
    incident: Incident[Scene], devices: Mapping[str, str], volumes: Sequence[str]
) -> tuple[Created, list[str]]:
    created: Created = {}
    failures = []
    for volume in volumes:
        try:
            created |= _one_set(incident, devices, [volume])
        except Exception as error:
            failures.append(f"{volume} could not be snapshot: {explain(error)}")
    return created, failures


def _is_refusal(error: Exception) -> bool:
    """Whether AWS said no, for a reason that another set may not have."""
    code = code_of(error)
    return bool(code) and code not in THROTTLED and code not in SERVER_ERRORS


def _one_set(
    incident: Incident[Scene], devices: Mapping[str, str], volumes: Sequence[str]
) -> Created:
    """Snapshots of exactly these volumes, with the volumes' tags if they can be copied."""
    request = _request(incident, devices, volumes)
    try:
        copying: CreateSnapshotsRequestTypeDef = {**request, "CopyTagsFromSource": "volume"}
        answer = once(incident, "ec2", lambda client: client.create_snapshots(**copying))
    except Exception as error:
        if not may_pass_with_fewer(error):
            raise
        answer = once(incident, "ec2", lambda client: client.create_snapshots(**request))
        incident.note(
            "the tags of the volumes could not be copied to their snapshots; the record has them: "
            f"{explain(error)}"
        )
    return {str(s["SnapshotId"]): str(s["VolumeId"]) for s in answer["Snapshots"]}


def _request(
    incident: Incident[Scene], devices: Mapping[str, str], volumes: Sequence[str]
) -> CreateSnapshotsRequestTypeDef:
    root = incident.subject.instance.get("RootDeviceName")
    spec: InstanceSpecificationTypeDef = {"InstanceId": incident.target}
    excluded = {volume: device for volume, device in devices.items() if volume not in volumes}
    if root in excluded.values():
        spec["ExcludeBootVolume"] = True
    if data := sorted(volume for volume, device in excluded.items() if device != root):
        spec["ExcludeDataVolumeIds"] = data
    # The device and the volume of each are added later: one call gives all the same tags.
    tags = {
        TAG_CASE: incident.case,
        TAG_STATUS: Status.EVIDENCE.value,
        TAG_SOURCE: incident.target,
    }
    today = datetime.now(UTC).date()
    return {
        "InstanceSpecification": spec,
        "Description": snapshot_description(incident.responder, today, incident.case),
        "TagSpecifications": [{"ResourceType": "snapshot", "Tags": listed(tags)}],
    }
