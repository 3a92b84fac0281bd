"""Makes a volume of each of the case's snapshots, in the workstation's zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from contract import TAG_COPY, TAG_SOURCE, TAG_STATUS, Status
from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.permissions import allow, ec2
from responders.volumes import workstation
from responders.volumes.snapshots import (
    EVIDENCE_ONLY,
    SNAPSHOTS,
    Snapshot,
    of_other_accounts,
)
from responders.volumes.workstation import (
    ALL_OF_THE_CASE,
    LIKE_THE_SNAPSHOT,
    NEW,
    Disks,
    SnapshotChoice,
    Workstation,
)

if TYPE_CHECKING:
    from types_boto3_ec2.literals import VolumeTypeType
    from types_boto3_ec2.type_defs import CreateVolumeRequestTypeDef

AVAILABLE = 300.0
"""Seconds in which a new volume must be available."""
EVERY = 3.0


@dataclass(frozen=True)
class RestoreVolumes(Action[Workstation]):
    """Each snapshot that is looked into has a volume for the workstation."""

    choice: SnapshotChoice = ALL_OF_THE_CASE
    disks: Disks = LIKE_THE_SNAPSHOT
    zone: str = ""
    """Availability zone when there is no machine yet; empty: the first that is prepared."""

    name = "volumes"
    permissions = (
        allow(
            "ec2:CreateVolume",
            on=ec2("volume"),
            when=NEW,
            because="makes volumes for a workstation, tagged as such",
        ),
        allow(
            "ec2:CreateVolume",
            on=SNAPSHOTS,
            when=EVIDENCE_ONLY,
            because="makes volumes of evidence snapshots of this account",
        ),
        *(
            # By the owner, whom the reference names for this action: `aws:ResourceAccount` it has
            # not, and then a test that the owner is somebody else holds for everything.
            allow(
                "ec2:CreateVolume",
                on=SNAPSHOTS,
                when=owner,
                because="makes volumes of what accounts shared that are examined here: their tags "
                "can't be read",
                risk="can make volumes of whatever these accounts shared with this one",
            )
            for owner in (
                {"StringEquals": {"ec2:Owner": "{evidence_account}"}},
                # No key tells the owner's organization; `{evidence_organization}` is the condition
                # that one is examined at all.
                {
                    "Null": {"ec2:Owner": "false"},
                    "StringNotEquals": {"ec2:Owner": "{account}"},
                    "StringEquals": {"aws:PrincipalOrgID": "{evidence_organization}"},
                },
            )
        ),
        *of_other_accounts(
            "kms:DescribeKey",
            "kms:Decrypt",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            through="ec2.*",
            because="EC2 reads shared snapshots under the key of the account that shared them",
            risk="only inside EC2: the role never sees a key or plain data",
        ),
        *of_other_accounts(
            "kms:CreateGrant",
            through="ec2.*",
            also_when={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            because="lets EC2 use that key while the volume is in use",
            risk="only for EC2: the role can grant a key to nobody else",
        ),
    )

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """Snapshot to its volume and the volume's state; None where there is none."""
        volumes = {
            str(v["SnapshotId"]): {"id": v["VolumeId"], "state": v["State"]}
            for v in workstation.volumes(incident.client("ec2"), incident.case)
        }
        return {s.id: volumes.get(s.id, {"id": None, "state": ""}) for s in self._sources(incident)}

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """A line for each snapshot without a volume that can be used."""
        return tuple(
            f"{volume['id']} of {snapshot} is {volume['state']}"
            if volume["id"]
            else f"{snapshot} has no volume"
            for snapshot, volume in observation.items()
            if volume["state"] not in ("available", "in-use")
        )

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """Makes those that lack, at the same time, and waits until they can be used."""
        lacking = [s for s in self._sources(incident) if observation[s.id]["id"] is None]
        zone = _zone(incident, self.zone)

        def make(snapshot: Snapshot) -> None:
            incident.client("ec2").create_volume(**_volume(incident, snapshot, zone, self.disks))

        incident.aws.each(make, lacking)

        def usable() -> bool:
            incident.watch("making volumes", None)
            return not self.lacks(incident, self.observe(incident))

        incident.wait_for(usable, seconds=AVAILABLE, every=EVERY)

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: closing is a command of its own."""
        raise Skip("`cordon workstation close` removes them; the snapshots stay")

    def _sources(self, incident: Incident[Workstation]) -> list[Snapshot]:
        return workstation.sources(incident.aws, incident.region, incident.case, self.choice)


def _zone(incident: Incident[Workstation], zone: str) -> str:
    """Where the machine is, or will be."""
    found = workstation.machine(incident.client("ec2"), incident.manifest, incident.case)
    if found is not None:
        return str(found["Placement"]["AvailabilityZone"])
    return zone or min(incident.manifest.subnets)


def _volume(
    incident: Incident[Workstation], snapshot: Snapshot, zone: str, disks: Disks
) -> CreateVolumeRequestTypeDef:
    marks = {
        TAG_COPY: snapshot.id,
        TAG_SOURCE: snapshot.source or snapshot.id,
        TAG_STATUS: Status.EVIDENCE.value,
    }
    wanted: CreateVolumeRequestTypeDef = {
        "SnapshotId": snapshot.id,
        "AvailabilityZone": zone,
        "VolumeType": cast("VolumeTypeType", disks.kind),
        "Encrypted": True,
        "ClientToken": workstation.token(incident, snapshot.id),
        "TagSpecifications": [
            {"ResourceType": "volume", "Tags": workstation.tags(incident, marks)}
        ],
    }
    if incident.manifest.key_arn:
        wanted["KmsKeyId"] = incident.manifest.key_arn
    if disks.size:
        wanted["Size"] = disks.size
    if disks.iops:
        wanted["Iops"] = disks.iops
    return wanted
