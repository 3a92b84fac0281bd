"""Deletes the volumes that were made for the workstation. The snapshots stay."""

from __future__ import annotations

from responders.action import Action, Incident, Observation
from responders.aws import expecting
from responders.errors import Skip
from responders.permissions import allow, ec2
from responders.volumes import workstation
from responders.volumes.workstation import OWN, Workstation

FREE = 120.0
"""Seconds in which the machine must have let go of them."""
EVERY = 3.0


class DeleteVolumes(Action[Workstation]):
    """No volume of the workstation is left."""

    name = "delete-volumes"
    permissions = (
        allow(
            "ec2:DeleteVolume",
            on=ec2("volume"),
            when=OWN,
            because="removes the volumes of a closed workstation",
            risk="can delete detached volumes that carry a workstation's tags",
        ),
    )

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """Volume to its state."""
        made = workstation.volumes(incident.client("ec2"), incident.case)
        return {str(v["VolumeId"]): str(v["State"]) for v in made if v["State"] != "deleting"}

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """A line for each that is left."""
        return tuple(f"{volume} is {state}" for volume, state in observation.items())

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """Deletes all, once they are free."""

        def free() -> bool:
            return "in-use" not in self.observe(incident).values()

        incident.wait_for(free, seconds=FREE, every=EVERY)

        def delete(volume: str) -> None:
            with expecting("InvalidVolume.NotFound"):
                incident.client("ec2").delete_volume(VolumeId=volume)

        incident.aws.each(delete, list(observation))

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: `cordon workstation open` makes new ones of the same snapshots."""
        raise Skip("`cordon workstation open` makes new ones of the same snapshots")
