"""Attaches the volumes to the workstation, each under the next free device name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, explain
from responders.errors import Skip
from responders.permissions import allow, ec2
from responders.volumes import workstation
from responders.volumes.workstation import DEVICES, OWN, Workstation

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef

ATTACHES = 120.0
"""Seconds in which all must be attached."""
EVERY = 2.0


class AttachVolumes(Action[Workstation]):
    """Every volume that was made for the workstation is attached to it."""

    name = "attach"
    permissions = (
        allow(
            "ec2:AttachVolume",
            on=(ec2("instance"), ec2("volume")),
            when=OWN,
            because="attaches a workstation's own volumes to it",
        ),
    )

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """Volume to its device on the workstation, empty when it is not attached there."""
        machine = _machine(incident)
        made = workstation.volumes(incident.client("ec2"), incident.case)
        return {
            str(v["VolumeId"]): workstation.attached_to(v, str(machine["InstanceId"])) for v in made
        }

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """A line for each volume that is not attached."""
        return tuple(
            f"{volume} is not attached" for volume, device in observation.items() if not device
        )

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """One after the other: a name is free only until it is given."""
        machine = _machine(incident)
        free = workstation.free_devices(machine)
        waiting = [volume for volume, device in observation.items() if not device]
        if len(waiting) > len(free):
            raise SomeFailed([no_room(len(observation))])
        failures = []
        for volume, device in zip(waiting, free, strict=False):
            try:
                incident.client("ec2").attach_volume(
                    VolumeId=volume, InstanceId=str(machine["InstanceId"]), Device=device
                )
            except Exception as error:
                failures.append(f"{volume}: {explain(error)}")
        incident.wait_for(
            lambda: not self.lacks(incident, self.observe(incident)),
            seconds=0 if failures else ATTACHES,
            every=EVERY,
        )
        if failures:
            raise SomeFailed(failures)

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: closing is a command of its own."""
        raise Skip("`cordon workstation close` detaches them")


def no_room(volumes: int) -> str:
    """Why so many volumes can't be attached."""
    return (
        f"{volumes} volumes, and a workstation has device names for {len(DEVICES)} "
        f"({DEVICES[0]} to {DEVICES[-1]}): look into some of them at a time, by --snapshot"
    )


def _machine(incident: Incident[Workstation]) -> InstanceTypeDef:
    machine = workstation.machine(incident.client("ec2"), incident.manifest, incident.case)
    if machine is None:
        raise Skip("no workstation is open yet")
    return machine
