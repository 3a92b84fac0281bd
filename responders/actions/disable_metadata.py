"""Turns off the instance metadata service, from which an intruder takes the role's credentials.

Security groups don't reach it. It is left on until the evidence is taken: programs on the instance,
the Systems Manager agent among them, need it.
"""

from __future__ import annotations

from typing import Literal

from responders.action import Action, Incident, Seen
from responders.errors import Skip
from responders.permissions import allow, ec2

ENDPOINT = "metadata endpoint"


class DisableMetadata(Action):
    """`HttpEndpoint=disabled`; token and hop options stay as they are."""

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

    def observe(self, incident: Incident) -> Seen:
        """`enabled` or `disabled`."""
        options = incident.scene.instance.get("MetadataOptions", {})
        return {ENDPOINT: str(options.get("HttpEndpoint", "enabled"))}

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """A line while it is on. Skip when the channel profile is wanted: its agent needs it."""
        if seen[ENDPOINT] == "disabled":
            return ()
        if incident.options.isolated_profile == "channel":
            raise Skip("it stays on, for the agent has the channel profile's credentials from it")
        return ("the metadata service hands out the role's credentials",)

    def act(self, incident: Incident, seen: Seen) -> None:
        """Off."""
        _set(incident, "disabled")

    def undo(self, incident: Incident, before: Seen) -> None:
        """As it was."""
        _set(incident, before[ENDPOINT])


def _set(incident: Incident, value: Literal["enabled", "disabled"]) -> None:
    incident.client("ec2").modify_instance_metadata_options(
        InstanceId=incident.target, HttpEndpoint=value
    )
