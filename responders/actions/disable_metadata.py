"""Turns off the instance metadata service, from which an intruder takes the role's credentials.

Security groups don't reach it. It is left on until the evidence is taken: programs on the instance,
the Systems Manager agent among them, need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.permissions import allow, ec2
from responders.scene import Scene

ENDPOINT = "metadata endpoint"


@dataclass(frozen=True)
class DisableMetadata(Action[Scene]):
    """`HttpEndpoint=disabled`; token and hop options stay as they are."""

    keeps_agent: bool = False
    """Whether an agent on the host goes on to need credentials from the service."""

    name = "disable-metadata"
    permissions = (
        allow(
            "ec2:ModifyInstanceMetadataOptions",
            on=ec2("instance"),
            because="turns the metadata service off; release turns it on again",
            risk="can turn any instance's metadata service off, or token use from required to "
            "optional",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """`enabled` or `disabled`."""
        options = incident.subject.instance.get("MetadataOptions", {})
        return {ENDPOINT: str(options.get("HttpEndpoint", "enabled"))}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line while it is on. Skip when the channel profile is wanted: its agent needs it."""
        if observation[ENDPOINT] == "disabled":
            return ()
        if self.keeps_agent:
            raise Skip("it stays on, for the agent has the channel profile's credentials from it")
        return ("the metadata service hands out the role's credentials",)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Off."""
        _set(incident, "disabled")

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """As it was."""
        _set(incident, before[ENDPOINT])


def _set(incident: Incident[Scene], value: Literal["enabled", "disabled"]) -> None:
    incident.client("ec2").modify_instance_metadata_options(
        InstanceId=incident.target, HttpEndpoint=value
    )
