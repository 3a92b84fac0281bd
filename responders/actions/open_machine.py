"""Launches the case's forensic workstation, or takes up the one that is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from contract import (
    IAM_PATH,
    WORKSTATION_PROFILE,
    Purpose,
)
from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.permissions import allow, ec2, purpose_is, together
from responders.volumes import workstation
from responders.volumes.images import Image, image_of
from responders.volumes.workstation import NEW, OWN, Workstation

if TYPE_CHECKING:
    from types_boto3_ec2.literals import InstanceTypeType, ResourceTypeType
    from types_boto3_ec2.type_defs import (
        EbsBlockDeviceTypeDef,
        InstanceTypeDef,
        RunInstancesRequestTypeDef,
    )

ROOT_SIZE = 30
"""GiB of the machine's own disk, at least."""
STARTS = 300.0
"""Seconds in which a machine must be running."""
EVERY = 5.0

PROFILE = "arn:{partition}:iam::{account}:instance-profile" + IAM_PATH + WORKSTATION_PROFILE


@dataclass(frozen=True)
class OpenMachine(Action[Workstation]):
    """A running machine in the forensic VPC, with the workstation's profile and no way in."""

    zone: str = ""
    """Availability zone; empty: the first in which a subnet is prepared."""
    image: str = ""
    """Image id or public parameter; empty: Amazon Linux 2023."""
    machine_type: str = "m6i.large"

    name = "machine"
    permissions = (
        allow(
            "ec2:RunInstances",
            on=ec2("instance"),
            when=together(NEW, {"ArnLike": {"ec2:InstanceProfile": PROFILE}}),
            because="launches a forensic workstation, tagged as such, with its own profile",
        ),
        allow(
            "ec2:RunInstances",
            on=(ec2("volume"), ec2("network-interface")),
            when=NEW,
            because="its disk and its interface, tagged as such",
        ),
        allow(
            "ec2:RunInstances",
            on=(ec2("subnet"), ec2("security-group")),
            when=purpose_is(Purpose.FORENSICS, Purpose.WORKSTATION),
            because="only into the forensic VPC, with the workstation's group",
        ),
        allow(
            "ec2:RunInstances",
            on="arn:{partition}:ec2:*::image/*",
            because="from the image that was chosen",
        ),
        allow(
            "iam:PassRole",
            on="arn:{partition}:iam::{account}:role" + IAM_PATH + WORKSTATION_PROFILE,
            when={"StringLike": {"iam:PassedToService": "ec2.*"}},
            because="gives the workstation its profile",
        ),
        allow(
            "ec2:CreateTags",
            on=(ec2("instance"), ec2("volume"), ec2("network-interface"), ec2("vpc-endpoint")),
            when={
                "StringEquals": {
                    "ec2:CreateAction": ["RunInstances", "CreateVolume", "CreateVpcEndpoint"]
                }
            },
            because="tags what a workstation is made of in the calls that make it",
        ),
        allow(
            "ec2:StartInstances",
            on=ec2("instance"),
            when=OWN,
            because="starts a workstation that was stopped",
        ),
    )

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """The machine's id and state; None and empty when none is open."""
        found = _machine(incident)
        if found is None:
            return {"machine": {"id": None, "state": ""}}
        return {"machine": {"id": found["InstanceId"], "state": found["State"]["Name"]}}

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """One line, unless it is running."""
        machine = observation["machine"]
        if machine["id"] is None:
            return (f"no workstation is open for case {incident.case}",)
        running = machine["state"] == "running"
        return () if running else (f"{machine['id']} is {machine['state']}",)

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """Launches or starts it, and waits until it runs."""
        client = incident.client("ec2")
        machine = observation["machine"]
        if machine["id"] is None:
            client.run_instances(**self._launch(incident))
        elif machine["state"] == "stopped":
            client.start_instances(InstanceIds=[machine["id"]])

        def running() -> bool:
            incident.watch("starting the workstation", None)
            found = _machine(incident)
            return found is not None and found["State"]["Name"] == "running"

        incident.wait_for(running, seconds=STARTS, every=EVERY)

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: closing is a command of its own."""
        raise Skip("`cordon workstation close` removes it")

    def _launch(self, incident: Incident[Workstation]) -> RunInstancesRequestTypeDef:
        manifest = incident.manifest
        image: Image = image_of(incident.aws, incident.region, self.machine_type, self.image)
        disk: EbsBlockDeviceTypeDef = {
            "VolumeType": "gp3",
            "VolumeSize": max(image.size, ROOT_SIZE),
            "Encrypted": True,
            "DeleteOnTermination": True,
        }
        if manifest.key_arn:
            disk["KmsKeyId"] = manifest.key_arn
        kinds: tuple[ResourceTypeType, ...] = ("instance", "volume", "network-interface")
        return {
            "ImageId": image.id,
            "InstanceType": cast("InstanceTypeType", self.machine_type),
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": workstation.token(incident, "machine"),
            "IamInstanceProfile": {"Name": manifest.workstation_profile},
            "InstanceInitiatedShutdownBehavior": "stop",
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            "NetworkInterfaces": [
                {
                    "DeviceIndex": 0,
                    "SubnetId": manifest.subnets[self.zone or min(manifest.subnets)],
                    "Groups": [manifest.workstation_group],
                    "AssociatePublicIpAddress": False,
                }
            ],
            "BlockDeviceMappings": [{"DeviceName": image.root, "Ebs": disk}],
            "TagSpecifications": [
                {"ResourceType": kind, "Tags": workstation.tags(incident)} for kind in kinds
            ],
        }


def _machine(incident: Incident[Workstation]) -> InstanceTypeDef | None:
    return workstation.machine(incident.client("ec2"), incident.manifest, incident.case)
