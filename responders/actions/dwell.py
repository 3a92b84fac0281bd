"""Waits while the untrack group is on, so that connections become untracked. The host is OPEN."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.host.interface_groups import Opening
from responders.scene import Scene

EVERY = 1.0
"""Seconds between two steps of the countdown."""


@dataclass(frozen=True)
class Dwell(Action[Scene]):
    """What this run opened has been open for the dwell. Nothing in AWS changes."""

    opening: Opening
    seconds: float = 60.0

    name = "dwell"
    permissions = ()
    writes_aws = False

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Nothing that could be restored."""
        return {}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line while this run holds it open. What a run that died left open is closed at once."""
        if not self.opening.warning or self.opening.is_over:
            return ()
        return (self.opening.warning,)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Counts down. Skip, incomplete, when it is cut short: then some connections live on."""
        if self.opening.began is None:
            raise Skip("nothing was opened")
        try:
            while (left := self._left()) > 0:
                incident.watch(f"OPEN to all traffic for {self.seconds:.0f} s", self._fraction())
                if not incident.wait(min(left, EVERY)):
                    raise Skip(
                        f"cut short {left:.0f} s before its end: connections that sent nothing in "
                        "the meantime are still tracked, and live on until they are idle for their "
                        "timeout (up to 5 days where it could not be shortened)",
                        incomplete=True,
                    )
        finally:
            self.opening.is_over = True

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: nothing was changed."""

    def _left(self) -> float:
        return (self.opening.began or 0.0) + self.seconds - monotonic()

    def _fraction(self) -> float:
        return 1.0 - self._left() / self.seconds
