"""What tests of evidence share: a fuller manifest, snapshots that take their time, and reading."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from components import documents
from contract import (
    MANIFEST_PARAMETER,
    TAG_CASE,
    TAG_COPY,
    TAG_SOURCE,
    TAG_STATUS,
    Document,
    DocumentPin,
    Manifest,
    tool_key,
)
from lab.faults import Faults
from lab.gate.call import Call
from lab.hosts import Ended, Script
from lab.mends.commands import set_script
from lab.mends.snapshots import set_status
from tests.responders.conftest import VAULT, Scenario
from tests.responders.pinning import pin_account

ACCOUNT = "123456789012"
"""The lab's own account, moto's."""
FORENSIC = "444455556666"
BUCKET = VAULT


def manifest(scenario: Scenario) -> Manifest:
    """The region's manifest as it is now."""
    answer = scenario.client("ssm").get_parameter(Name=MANIFEST_PARAMETER)
    return Manifest.from_json(answer["Parameter"]["Value"])


def prepare(scenario: Scenario, **more: Any) -> Manifest:
    """Adds to what the manifest says is prepared."""
    changed = dataclasses.replace(manifest(scenario), **more)
    scenario.client("ssm").put_parameter(
        Name=MANIFEST_PARAMETER, Type="String", Value=changed.to_json(), Overwrite=True
    )
    pin_account(scenario.lab, scenario.region)
    return changed


def prepare_key(scenario: Scenario, forensic_account: str = FORENSIC) -> str:
    """The kit's key, and an account that examines evidence."""
    key = scenario.client("kms").create_key(Description="evidence")["KeyMetadata"]["Arn"]
    prepare(scenario, key_arn=key, forensic_account=forensic_account)
    return str(key)


def add_volumes(scenario: Scenario, number: int, **kind: Any) -> list[str]:
    """Attaches so many data volumes to the instance."""
    ec2 = scenario.client("ec2")
    zone = ec2.describe_instances(InstanceIds=[scenario.instance])["Reservations"][0]["Instances"][
        0
    ]["Placement"]["AvailabilityZone"]
    made = []
    for count in range(number):
        volume = ec2.create_volume(AvailabilityZone=zone, Size=10, **kind)["VolumeId"]
        device = f"/dev/sd{chr(ord('f') + count)}" if count < 20 else f"/dev/xvdb{chr(77 + count)}"
        ec2.attach_volume(VolumeId=volume, InstanceId=scenario.instance, Device=device)
        made.append(volume)
    return made


def devices(scenario: Scenario) -> dict[str, str]:
    """Volume to device, as attached now."""
    answer = scenario.client("ec2").describe_instances(InstanceIds=[scenario.instance])
    mappings = answer["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]
    return {m["Ebs"]["VolumeId"]: m["DeviceName"] for m in mappings}


def snapshots(scenario: Scenario, case: str = "") -> list[dict[str, Any]]:
    """All snapshots that the account owns, of a case or all that are tagged with one."""
    named = {"Name": "tag:cordon:case", "Values": [case]}
    any_ = {"Name": "tag-key", "Values": ["cordon:case"]}
    answer = scenario.client("ec2").describe_snapshots(
        OwnerIds=["self"], Filters=[named if case else any_]
    )
    return sorted(answer["Snapshots"], key=lambda s: s["SnapshotId"])


def take(scenario: Scenario, case: str = "IR-7", *, copy: bool = False) -> list[str]:
    """Snapshots of a case as a response takes them, and their copies; gives the last made, by id.

    Made by plain calls: for tests of what comes after.
    """
    ec2, made = scenario.client("ec2"), []
    for volume, device in devices(scenario).items():
        tags = {
            TAG_CASE: case,
            TAG_STATUS: "evidence",
            TAG_SOURCE: f"{scenario.instance}/{device}/{volume}",
        }
        described = f"IR-alice-{datetime.now(UTC).date()}-{case}"
        one = ec2.create_snapshot(
            VolumeId=volume, Description=described, TagSpecifications=_tagged(tags)
        )["SnapshotId"]
        if copy:
            one = ec2.copy_snapshot(
                SourceRegion=scenario.region,
                SourceSnapshotId=one,
                Description=described,
                Encrypted=True,
                KmsKeyId=manifest(scenario).key_arn,
                TagSpecifications=_tagged({**tags, TAG_COPY: one}),
            )["SnapshotId"]
        made.append(str(one))
    return sorted(made)


def _tagged(tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": "snapshot", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]


def tags_of(described: dict[str, Any]) -> dict[str, str]:
    """The tags of something described."""
    return {t["Key"]: t["Value"] for t in described.get("Tags", [])}


def stage(scenario: Scenario, snapshot: str, status: str, progress: str = "40%") -> None:
    """Sets the state of a snapshot."""
    set_status(ACCOUNT, scenario.region, snapshot, status, progress)


def slow(faults: Faults, scenario: Scenario, *operations: str, status: str = "pending") -> None:
    """Every snapshot made by these operations stays in a state, until `stage` sets another."""
    known = {s["SnapshotId"] for s in snapshots(scenario)}

    def hook(_call: Call) -> None:
        from moto.ec2.models import ec2_backends

        for snapshot in list(ec2_backends[ACCOUNT][scenario.region].snapshots):
            if snapshot not in known:
                stage(scenario, snapshot, status)
                known.add(snapshot)

    for operation in operations:
        faults.after("ec2", operation, hook)


def prepare_documents(scenario: Scenario) -> None:
    """Every document of the kit, exactly as preparation makes it, pinned in the manifest."""
    ssm = scenario.client("ssm")
    for document in Document:
        ssm.create_document(
            Name=document.value, DocumentType="Command", Content=documents.content(document)
        )
    pins = {d.value: DocumentPin(d.value, documents.sha256(d)) for d in Document}
    prepare(scenario, documents=pins)


def stage_tool(scenario: Scenario, name: str, data: bytes = b"tool") -> str:
    """A capture tool in the vault; its digest."""
    digest = hashlib.sha256(data).hexdigest()
    scenario.client("s3").put_object(
        Bucket=BUCKET, Key=tool_key(digest, name), Body=data, ChecksumAlgorithm="SHA256"
    )
    return digest


def scripted(scenario: Scenario, document: Document, script: Script) -> None:
    """Decides what a document's script does on hosts of the scenario's region."""
    set_script(ACCOUNT, scenario.region, document.value, script)


def ending(ended: Ended) -> Script:
    """A script that does nothing and ends so."""
    return lambda host, given: ended


def objects(scenario: Scenario, prefix: str = "cases/") -> dict[str, int]:
    """What the vault holds, with sizes."""
    listed = scenario.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return {o["Key"]: o["Size"] for o in listed.get("Contents", [])}


def saved(scenario: Scenario, name: str, case: str = "IR-7") -> dict[str, Any]:
    """A piece of JSON evidence on this machine."""
    (path,) = (scenario.lab.home / "cases" / case).rglob(f"evidence/{name}")
    found = json.loads(path.read_bytes())
    assert isinstance(found, dict)
    return found
