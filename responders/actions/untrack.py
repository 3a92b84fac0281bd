"""Makes open connections untracked, so that isolation cuts them: lets everything through meanwhile.

Changing groups does not cut tracked connections. A connection is untracked when a rule lets all
traffic through in both directions, and untracked ones end at once when no rule allows them any more
(EC2 user guide, "Connection tracking"). So the untrack group comes on, active connections become
untracked with their next packet, idle ones run into their shortened timeout; then the isolate group
comes on. Between the first and the last, the instance is OPEN to the whole network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from responders.action import Action, Incident, Observation
from responders.aws import explain
from responders.errors import Skip
from responders.host import interface_groups
from responders.host.interface_groups import UNTRACK, Opening, is_isolated, put
from responders.json_values import Json
from responders.record.journal import utc
from responders.scene import Scene


@dataclass(frozen=True)
class Untrack(Action[Scene]):
    """The untrack group on every interface that is not isolated yet."""

    opening: Opening = field(default_factory=Opening, compare=False)
    dwell: float = 60.0
    """Seconds that the group stays on."""

    name = UNTRACK
    announce = True
    permissions = ()  # those of `responders.actions.isolate_network`

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Interface id to its state: see `responders.host.interface_groups`."""
        return interface_groups.observe(incident)

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line that says until when it is open. Skip for a stopped instance: it has no flows."""
        todo = _closed(observation)
        if not todo:
            return ()
        if not _may_have_flows(incident):
            raise Skip("the instance is stopped, so it has no connections to cut")
        self.opening.warning = self.opening.warning or self._warning(incident, todo)
        incident.risk(self.opening.warning)
        return (self.opening.warning,)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Shortens the idle timeouts, then opens. From here on, isolation must follow."""
        todo = _closed(observation)
        # EC2 may let a managed interface be opened and then refuse to close it: it is not opened.
        able = [
            eni
            for eni in todo
            if observation[eni]["untrack"] and not observation[eni].get("managed_by")
        ]
        for eni in sorted(set(todo) - set(able)):
            service = observation[eni].get("managed_by")
            reason = f"{service} manages it" if service else "no untrack group to trust"
            incident.risk(f"{eni}: {reason}, so its tracked connections live on")
        if not able:
            raise Skip("there is no untrack group to trust")
        interface_groups.shorten_timeouts(incident, able)
        self.opening.began = monotonic()  # before the first call: its answer may be lost
        failed = interface_groups.failures(
            incident, able, lambda eni: put(incident, eni, observation[eni]["untrack"])
        )
        for eni, error in failed.items():
            incident.risk(f"tracked connections were not cut: {eni}: {error}")
        if failed or len(able) < len(todo):
            raise Skip("not every interface could be untracked: see the residual risks")

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Each interface's own groups and idle timeouts, where isolation never came."""
        interface_groups.restore(incident, before)

    def is_own(self, incident: Incident[Scene], resource: str, state: Json) -> bool:
        """It has a group of the kit."""
        return interface_groups.has_kit_group(incident, state)

    def restored(self, before: Json, now: Json) -> bool:
        """Once it is not open any more: groups and timeouts are what isolation gives back."""
        return now is not None and not now.get("open")

    def _warning(self, incident: Incident[Scene], interfaces: list[str]) -> str:
        until = incident.aws.now() + timedelta(seconds=self.dwell)
        return (
            f"OPEN to all traffic, IPv4 and IPv6, for {self.dwell:.0f} s (until about "
            f"{utc(until)}), so that its open connections can be cut: {', '.join(interfaces)}"
        )


def _closed(observation: Observation) -> list[str]:
    """The interfaces that have neither the isolate nor the untrack group."""
    return [e for e, s in observation.items() if not s["open"] and not is_isolated(s)]


def _may_have_flows(incident: Incident[Scene]) -> bool:
    """Whether there may be connections to cut: not on a stopped instance. Unknown means yes."""
    try:
        return bool(incident.subject.instance["State"]["Name"] != "stopped")
    except Exception as error:
        incident.note(f"not known if it runs, so it is taken to: {explain(error)}")
        return True
