"""Stops the instance, on request: from running only, after its evidence is taken.

What is in memory and on instance-store volumes is lost: the volumes are named before. An instance
whose stop protection was on before this case is left running without `--stop-protected`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypedDict

from responders.action import Action, Incident, Observation
from responders.actions.protect import Protect
from responders.aws import explain
from responders.errors import Skip
from responders.instance_types import instance_type
from responders.json_values import Json
from responders.permissions import Permission, allow, ec2
from responders.scene import Scene

PROTECTION = "disableApiStop"
STOPS_WITHIN = 600.0
"""Seconds that an instance is given to stop; the operating system shuts down in them."""


class StopOptions(TypedDict, total=False):
    """Parameters of StopInstances that say how to stop."""

    Hibernate: bool


@dataclass(frozen=True)
class Stop(Action[Scene]):
    """Stopped, its protection from being stopped as it was when this step began."""

    even_protected: bool = False
    """Whether it is stopped even if its stop protection was on before the case."""

    name = "stop"
    announce = True
    how: ClassVar[StopOptions] = {}
    """More parameters of StopInstances."""
    permissions: ClassVar[tuple[Permission, ...]] = (
        allow("ec2:DescribeInstanceTypes", because="names the instance-store volumes"),
        allow("ec2:DescribeInstanceAttribute", because="reads the stop protection"),
        allow(
            "ec2:StopInstances",
            "ec2:StartInstances",
            on=ec2("instance"),
            because="stops the instance on request; release starts it again",
            risk="can stop or start any instance",
        ),
        allow(
            "ec2:ModifyInstanceAttribute",
            on=ec2("instance"),
            because="lifts the stop protection for the moment of the stop",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """The instance to its state: `running`, `stopping`, `stopped`, `pending`."""
        return {incident.target: str(incident.subject.instance["State"]["Name"])}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line while it is not stopped, with what a stop loses; Skip when it may not be."""
        state = observation[incident.target]
        if state == "stopped":
            return ()
        if state not in ("running", "stopping"):
            raise Skip(f"it is {state}, and only a running instance is stopped", incomplete=True)
        if state == "running" and _was_protected(incident) and not self.even_protected:
            raise Skip(
                "its stop protection was on before this case; --stop-protected stops it all the "
                "same",
                incomplete=True,
            )
        return (f"{incident.target} is {state}; {_lost(incident)}",)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Stops, and waits until it has; the stop protection is lifted and put back."""
        if observation[incident.target] == "running":
            protected = _is_protected(incident)
            try:
                if protected:
                    _protect(incident, False)
                incident.client("ec2").stop_instances(InstanceIds=[incident.target], **self.how)
            finally:
                if protected:
                    _protect(incident, True)
        incident.wait_for(lambda: _state(incident) == "stopped", seconds=STOPS_WITHIN)

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Starts it again; the network is still closed at this moment of a release."""
        incident.wait_for(lambda: _state(incident) != "stopping", seconds=STOPS_WITHIN)
        if before[incident.target] in ("running", "stopping", "pending"):
            incident.client("ec2").start_instances(InstanceIds=[incident.target])
            incident.wait_for(lambda: _state(incident) == "running", seconds=STOPS_WITHIN)

    def restored(self, before: Json, now: Json) -> bool:
        """A state on the way counts as the one that it leads to."""
        return bool(_settled(before) == _settled(now))


def _settled(state: Json) -> Json:
    return {"pending": "running", "stopping": "stopped"}.get(state, state)


def _was_protected(incident: Incident[Scene]) -> bool:
    """Stop protection before the case: `protect` turns it on, and remembers what was."""
    earlier = incident.earlier.get(Protect.name, {})
    if PROTECTION in earlier:
        return bool(earlier[PROTECTION])
    return _is_protected(incident)


def _is_protected(incident: Incident[Scene]) -> bool:
    answer = incident.client("ec2").describe_instance_attribute(
        InstanceId=incident.target, Attribute="disableApiStop"
    )
    return bool(answer["DisableApiStop"].get("Value"))


def _protect(incident: Incident[Scene], wanted: bool) -> None:
    incident.client("ec2").modify_instance_attribute(
        InstanceId=incident.target, DisableApiStop={"Value": wanted}
    )


def _state(incident: Incident[Scene]) -> str:
    answer = incident.client("ec2").describe_instances(
        Filters=[{"Name": "instance-id", "Values": [incident.target]}]
    )
    found = [i for r in answer["Reservations"] for i in r["Instances"]]
    return str(found[0]["State"]["Name"]) if found else "terminated"


def _lost(incident: Incident[Scene]) -> str:
    """What a stop loses, in words."""
    kind = str(incident.subject.instance["InstanceType"])
    try:
        described = instance_type(incident.client("ec2"), kind)
        storage = described.get("InstanceStorageInfo", {})
    except Exception as error:
        return f"its memory is lost, and instance-store volumes if it has any: {explain(error)}"
    disks = [f"{d['Count']} x {d['SizeInGB']} GB {d['Type']}" for d in storage.get("Disks", ())]
    if not disks:
        return "its memory is lost (it has no instance-store volumes)"
    return f"its memory is lost, and its instance-store volumes: {', '.join(disks)}"
