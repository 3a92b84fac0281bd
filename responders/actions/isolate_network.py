"""Cuts the instance off: every network interface gets the isolate group, and nothing else.

Changing groups does not cut tracked connections. `convert` therefore shortens the idle timeouts,
puts the untrack group on for the dwell, so that flows become untracked, and then isolates: that
drops untracked flows at once (EC2 user guide, "Connection tracking"). The untrack group lets
everything through while it is on. `direct` isolates at once and leaves tracked flows to time out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import Purpose
from responders.action import Action, Incident, Observation
from responders.actions import prepare_groups
from responders.aws import SomeFailed, explain
from responders.json_values import Json
from responders.permissions import allow, ec2
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import ConnectionTrackingSpecificationRequestTypeDef

TIMEOUTS: ConnectionTrackingSpecificationRequestTypeDef = {
    "TcpEstablishedTimeout": 60,
    "UdpStreamTimeout": 60,
    "UdpTimeout": 30,
}
"""Seconds: the shortest that an interface accepts."""

DEFAULTS: ConnectionTrackingSpecificationRequestTypeDef = {
    "TcpEstablishedTimeout": 432_000,
    "UdpStreamTimeout": 180,
    "UdpTimeout": 30,
}
"""Seconds: what an interface has when nobody set anything (350 for TCP on Nitro v6)."""


@dataclass(frozen=True)
class IsolateNetwork(Action[Scene]):
    """The isolate group on every interface, verified by reading interfaces and rules."""

    tracking: str = "convert"
    """`convert` or `direct`."""
    dwell: float = 60.0
    """Seconds that the untrack group is on."""

    name = "isolate-network"
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
        """Interface id to its groups, idle timeouts, and the isolate group of its VPC if exact."""
        interfaces = incident.subject.interfaces
        if not interfaces:
            _ = incident.subject.instance  # says so if it was terminated
            raise ValueError(
                f"{incident.target} has no network interface in a VPC, so no group can isolate it"
            )
        for line in incident.subject.unseen:
            incident.risk(line)
        groups = _groups(incident.subject)
        return {
            str(i["NetworkInterfaceId"]): {
                "groups": groups[str(i["NetworkInterfaceId"])],
                "tracking": i.get("ConnectionTrackingConfiguration") or None,
                "isolate": _exact(incident, str(i["VpcId"]), Purpose.ISOLATE),
                "untrack": _exact(incident, str(i["VpcId"]), Purpose.UNTRACK),
            }
            for i in interfaces
        }

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each interface that has any group but an exact isolate group."""
        return tuple(
            f"{eni} has {', '.join(state['groups']) or 'no group'}"
            + ("" if state["isolate"] else ", and its VPC has no isolate group to trust")
            for eni, state in observation.items()
            if state["isolate"] is None or state["groups"] != [state["isolate"]]
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Converts, dwells and isolates; once a group was changed it always goes on to isolate."""
        stuck = [eni for eni, state in observation.items() if not state["isolate"]]
        todo = [
            e for e, s in observation.items() if e not in stuck and s["groups"] != [s["isolate"]]
        ]
        failures = [f"{eni}: its VPC has no isolate group to trust" for eni in stuck]
        opened: list[str] = []
        try:
            if self.tracking == "convert" and todo and _may_have_flows(incident):
                opened = self._untrack(incident, observation, todo)
        finally:
            failures += self._isolate(incident, observation, todo, opened)
        if self.tracking == "direct" and todo:
            incident.risk(
                "connections that were open and tracked live until they are idle for their "
                "timeout (TCP: up to 5 days, 350 s on Nitro v6); --tracking convert cuts them"
            )
        if failures:
            raise SomeFailed(failures)

    def _untrack(
        self, incident: Incident[Scene], observation: Observation, todo: list[str]
    ) -> list[str]:
        """Steps (a) to (c) of the technique; the interfaces that may now be open."""
        able = [eni for eni in todo if observation[eni]["untrack"]]
        for eni in set(todo) - set(able):
            incident.risk(f"{eni}: no untrack group to trust, so its tracked connections live on")

        def shorten(eni: str) -> None:
            incident.client("ec2").modify_network_interface_attribute(
                NetworkInterfaceId=eni, ConnectionTrackingSpecification=TIMEOUTS
            )

        for line in _lines(incident, able, shorten):
            incident.risk(
                "idle timeouts not shortened (only Nitro instances can), so connections that are "
                f"idle during the dwell live on: {line}"
            )
        unconverted = _lines(
            incident, able, lambda eni: _set(incident, eni, observation[eni]["untrack"])
        )
        for line in unconverted:
            incident.risk(f"tracked connections were not cut: {line}")
        if len(unconverted) < len(able):
            incident.wait(self.dwell)
        return able

    def _isolate(
        self,
        incident: Incident[Scene],
        observation: Observation,
        todo: list[str],
        opened: list[str],
    ) -> list[str]:
        """Step (d). What can't be isolated must not stay open to everything: it goes back."""
        failures = _failed(
            incident, todo, lambda eni: _set(incident, eni, observation[eni]["isolate"])
        )
        told = [f"{eni} is not isolated: {error}" for eni, error in failures.items()]
        doubtful = [eni for eni in failures if eni in opened]
        return [*told, *self._close_again(incident, observation, doubtful)]

    def _close_again(
        self, incident: Incident[Scene], observation: Observation, doubtful: list[str]
    ) -> list[str]:
        """Gives those that have the untrack group their former groups, and no others.

        One whose call failed may be isolated all the same: only the answer was lost.
        """
        if not doubtful:
            return []
        try:
            groups = _groups(incident.subject.afresh())
        except Exception as error:
            return [f"{', '.join(doubtful)} MAY BE OPEN TO EVERYTHING: {explain(error)}"]
        former = {
            eni: incident.known.get(eni, observation[eni])["groups"]
            for eni in doubtful
            if groups.get(eni) == [observation[eni]["untrack"]]
        }
        stuck = _failed(incident, former, lambda eni: _set(incident, eni, *former[eni]))
        return [
            f"{eni} IS OPEN TO EVERYTHING, for its former groups can't be put back: {stuck[eni]}"
            if eni in stuck
            else f"{eni} has its former groups again, so that it is not open to everything"
            for eni in former
        ]

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Each interface's own groups and idle timeouts, as they were."""
        now = {
            str(i["NetworkInterfaceId"]): i.get("ConnectionTrackingConfiguration")
            for i in incident.subject.interfaces
        }

        def restore(eni: str) -> None:
            incident.client("ec2").modify_network_interface_attribute(
                NetworkInterfaceId=eni, Groups=before[eni]["groups"]
            )
            if not _same_tracking(before[eni]["tracking"], now.get(eni)):
                incident.client("ec2").modify_network_interface_attribute(
                    NetworkInterfaceId=eni,
                    ConnectionTrackingSpecification=_complete(before[eni]["tracking"]),
                )

        incident.aws.each(restore, list(before))

    def restored(self, before: Json, now: Json) -> bool:
        """Groups and timeouts count; which group would isolate does not."""
        return (
            now is not None
            and before["groups"] == now["groups"]
            and _same_tracking(before["tracking"], now["tracking"])
        )


def _groups(scene: Scene) -> dict[str, list[str]]:
    return {
        str(i["NetworkInterfaceId"]): sorted(str(g["GroupId"]) for g in i["Groups"])
        for i in scene.interfaces
    }


def _same_tracking(one: Json, other: Json) -> bool:
    return _complete(one) == _complete(other)


def _complete(tracking: Json) -> ConnectionTrackingSpecificationRequestTypeDef:
    return {**DEFAULTS, **(tracking or {})}


def _exact(incident: Incident[Scene], vpc: str, purpose: Purpose) -> str | None:
    """The id of the group to use in a VPC, if there is one that does what it is for."""
    return prepare_groups.usable(incident, vpc, purpose)


def _may_have_flows(incident: Incident[Scene]) -> bool:
    """Whether there may be connections to cut: not on a stopped instance. Unknown means yes."""
    try:
        return bool(incident.subject.instance["State"]["Name"] != "stopped")
    except Exception as error:
        incident.note(f"not known if it runs, so it is taken to: {explain(error)}")
        return True


def _set(incident: Incident[Scene], eni: str, *groups: str) -> None:
    incident.client("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=eni, Groups=list(groups)
    )


def _failed(
    incident: Incident[Scene], interfaces: Iterable[str], work: Callable[[str], None]
) -> dict[str, str]:
    """Does `work` on all at once; the interfaces on which it failed, and how."""
    futures = {eni: incident.aws.spawn(work, eni) for eni in interfaces}
    errors = {eni: future.exception() for eni, future in futures.items()}
    return {eni: explain(error) for eni, error in errors.items() if error}


def _lines(
    incident: Incident[Scene], interfaces: Iterable[str], work: Callable[[str], None]
) -> list[str]:
    return [f"{eni}: {error}" for eni, error in _failed(incident, interfaces, work).items()]
