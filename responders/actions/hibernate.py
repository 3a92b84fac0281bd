"""Hibernates the instance: its memory goes to its encrypted root volume, and then into a snapshot.

It needs no agent and no network, but must have been configured when the instance was launched. The
snapshots wait for it. Release starts the instance, which goes on where it was.
"""

from __future__ import annotations

from typing import ClassVar

from responders.action import Incident, Observation
from responders.actions.stop import Stop, StopOptions
from responders.errors import Skip
from responders.scene import Scene

REASON = "Client.UserInitiatedHibernate"
"""Why an instance is stopped when it hibernated (EC2 user guide, "Hibernate your instance")."""


class Hibernate(Stop):
    """Stopped by hibernation, so that its memory is kept."""

    name = "hibernate"
    collects = True
    how: ClassVar[StopOptions] = {"Hibernate": True}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line while it is not hibernated; `Skip`, incomplete, when it never can be."""
        instance = incident.subject.instance
        if observation[incident.target] == "stopped":
            if instance.get("StateReason", {}).get("Code") == REASON:
                return ()
            if not incident.known:
                raise Skip("it was stopped before: its memory is gone", incomplete=True)
            return ("it stopped without hibernating: its memory is lost",)
        if not instance.get("HibernationOptions", {}).get("Configured"):
            raise Skip("it was not launched with hibernation configured", incomplete=True)
        lines = super().lacks(incident, observation)
        return tuple(line.partition("; ")[0] for line in lines)
