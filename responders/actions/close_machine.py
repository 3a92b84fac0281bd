"""Terminates the case's workstation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.permissions import allow, ec2
from responders.volumes import workstation
from responders.volumes.workstation import OWN, Workstation

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef

ENDS = 300.0
"""Seconds in which a machine must be terminated."""
EVERY = 5.0


class CloseMachine(Action[Workstation]):
    """No workstation of the case is open. What was written on its own disk is gone."""

    name = "close-machine"
    permissions = (
        allow(
            "ec2:TerminateInstances",
            on=ec2("instance"),
            when=OWN,
            because="closes a workstation, and nothing else",
            risk="can terminate any workstation; the role can't make another instance one, because "
            "it sets those tags at a launch only, but who else may tag could",
        ),
    )

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """The open machine's id and state; None when none is open."""
        found = _machine(incident)
        if found is None:
            return {"machine": {"id": None, "state": ""}}
        return {"machine": {"id": found["InstanceId"], "state": found["State"]["Name"]}}

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """One line, if one is open."""
        machine = observation["machine"]
        return (f"{machine['id']} is {machine['state']}",) if machine["id"] else ()

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """Terminates it, and waits until it is gone."""
        incident.client("ec2").terminate_instances(InstanceIds=[observation["machine"]["id"]])

        def gone() -> bool:
            incident.watch("closing the workstation", None)
            return _machine(incident) is None

        incident.wait_for(gone, seconds=ENDS, every=EVERY)

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: `cordon workstation open` makes a new one."""
        raise Skip("`cordon workstation open` makes a new one")


def _machine(incident: Incident[Workstation]) -> InstanceTypeDef | None:
    return workstation.machine(incident.client("ec2"), incident.manifest, incident.case)
