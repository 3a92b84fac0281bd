"""Cuts the instance off: every network interface gets the isolate group, and nothing else.

That refuses every new connection at once. Connections that are open and tracked live on until they
are idle for their timeout (EC2 user guide, "Connection tracking"), so the timeouts are shortened
too; `responders.actions.untrack` cuts them, at the price of letting everything through for a while.
`docs/isolation.md` weighs the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, explain
from responders.host import interface_groups, managed_service
from responders.host.interface_groups import UNTRACK, Opening, is_isolated, put
from responders.json_values import Json
from responders.permissions import allow, ec2
from responders.scene import InstanceGone, Scene

LIVES_ON = (
    "connections that were open when it was isolated live on for as long as they are used, then "
    "until they are idle for their timeout (60 s where it could be shortened, else up to 5 days, "
    "350 s on Nitro v6): --nacl with their remote addresses cuts them at once, --stop ends them all"
)


@dataclass(frozen=True)
class IsolateNetwork(Action[Scene]):
    """The isolate group on every interface, verified by reading interfaces and rules."""

    opening: Opening | None = field(default=None, compare=False)
    """What the untrack step of the same run opened; None: there is no such step (`direct`)."""

    name = "isolate-network"
    also_undoes = "untrack"
    contains = True
    permissions = (
        allow(
            "ec2:ModifyNetworkInterfaceAttribute",
            on=(ec2("network-interface"), ec2("security-group"), ec2("instance")),
            because="puts the isolate group on each interface; release puts the former ones back",
            risk="can change the security groups of any interface in the account",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Interface id to its state: see `responders.host.interface_groups`.

        While this process holds it open, a look that fails must not keep it so: then what the
        untrack step saw counts.
        """
        try:
            return interface_groups.observe(incident)
        except InstanceGone:
            raise
        except Exception as error:
            earlier = incident.earlier.get(UNTRACK, {})
            if not (self.opening and self.opening.began and earlier):
                raise
            incident.risk(
                f"its interfaces can't be looked at, and are closed all the same: {explain(error)}"
            )
            return {eni: {**state, "open": True} for eni, state in earlier.items()}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each interface that has any group but an exact isolate group."""
        return tuple(
            (f"{eni} is OPEN to all traffic" if state["open"] else _has(eni, state))
            + ("" if state["isolate"] else ", and its VPC has no isolate group to trust")
            for eni, state in observation.items()
            if not is_isolated(state)
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Isolates all at once. What can't be isolated must not stay open: it goes back."""
        todo = [e for e, s in observation.items() if s["isolate"] and not is_isolated(s)]
        reasons = [
            f"{eni}: its VPC has no isolate group to trust"
            for eni, state in observation.items()
            if not state["isolate"]
        ]
        failed = interface_groups.failures(
            incident, todo, lambda eni: put(incident, eni, observation[eni]["isolate"])
        )
        reasons += [
            f"{eni} is not isolated: {error}{_way_out(observation[eni])}"
            for eni, error in failed.items()
        ]
        doubtful = [
            e for e, s in observation.items() if s["open"] and (e in failed or e not in todo)
        ]
        for line in _close_again(incident, observation, doubtful):
            incident.note(line)  # a second try, which finds it closed, would not say it again
            reasons.append(line)
        if self.opening is None and todo:
            interface_groups.shorten_timeouts(incident, [e for e in todo if e not in failed])
            incident.risk(LIVES_ON)
        if reasons:
            raise SomeFailed(reasons)

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Each interface's own groups and idle timeouts, as they were."""
        interface_groups.restore(incident, before)

    def is_own(self, incident: Incident[Scene], resource: str, state: Json) -> bool:
        """It has a group of the kit."""
        return interface_groups.has_kit_group(incident, state)

    def restored(self, before: Json, now: Json) -> bool:
        """Groups and timeouts count; which group would isolate does not."""
        return (
            now is not None
            and not now.get("open")
            and before["groups"] == now["groups"]
            and interface_groups.complete(before["tracking"])
            == interface_groups.complete(now["tracking"])
        )


def _way_out(state: Json) -> str:
    """What is left to do with an interface that an AWS service manages."""
    service = state.get("managed_by")
    return f"; {service} manages it: {managed_service.advice(service)}" if service else ""


def _has(eni: str, state: Json) -> str:
    return f"{eni} has {', '.join(state['groups']) or 'no group'}"


def _close_again(
    incident: Incident[Scene], observation: Observation, doubtful: list[str]
) -> list[str]:
    """Gives those that have the untrack group their former groups, and no others.

    One whose call failed may be isolated all the same: only the answer was lost.
    """
    if not doubtful:
        return []
    try:
        groups = interface_groups.groups_of(incident.subject.afresh())
    except Exception as error:
        return [f"{', '.join(doubtful)} MAY BE OPEN TO EVERYTHING: {explain(error)}"]
    former = {
        eni: observation[eni]["groups"]
        for eni in doubtful
        if groups.get(eni) == [observation[eni]["untrack"]]
    }
    stuck = interface_groups.failures(
        incident, former, lambda eni: put(incident, eni, *former[eni])
    )
    unknown = [eni for eni in former if observation[eni]["untrack"] in former[eni]]
    return [
        f"{eni} IS OPEN TO EVERYTHING, for its former groups can't be put back: "
        f"{stuck.get(eni, 'they are not known')}"
        if eni in stuck or eni in unknown
        else f"{eni} has its former groups again, so that it is not open to everything"
        for eni in former
    ]
