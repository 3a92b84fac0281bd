"""The security groups and idle timeouts of an instance's interfaces: read, set, put back.

State of an interface: `groups` and `tracking` as release restores them, `isolate` and `untrack`
(the kit's groups in its VPC, None where there is none to trust), and `open`: the untrack group is
on, so everything may reach it. While that is so, `groups` and `tracking` are those from before:
what the kit itself did is nothing to come back to. `managed_by` is there where an AWS service
manages the interface, and names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import Purpose
from responders.action import Incident, Observation
from responders.actions.prepare_groups import usable
from responders.aws import explain
from responders.host import managed_service
from responders.json_values import Json
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
UNTRACK = "untrack"
"""Name of the step that puts the untrack group on."""


@dataclass
class Opening:
    """The time for which this process lets everything through, shared by the steps around it."""

    began: float | None = None
    """Clock seconds (monotonic) of the first interface; None: it opened none."""
    warning: str = ""
    """What everybody is told: that it is open, and until when."""
    is_over: bool = False
    """Whether the dwell has ended, or was cut short."""


def observe(incident: Incident[Scene]) -> dict[str, dict[str, Json]]:
    """Interface id to its state. Raises when there is none, or the instance is gone."""
    interfaces = incident.subject.interfaces
    if not interfaces:
        _ = incident.subject.instance  # says so if it was terminated
        raise ValueError(
            f"{incident.target} has no network interface in a VPC, so no group can isolate it"
        )
    for line in incident.subject.unseen:
        incident.risk(line)
    groups = groups_of(incident.subject)
    states: dict[str, dict[str, Json]] = {}
    for interface in interfaces:
        eni, vpc = str(interface["NetworkInterfaceId"]), str(interface["VpcId"])
        untrack = usable(incident, vpc, Purpose.UNTRACK)
        former = {**incident.earlier.get(UNTRACK, {}).get(eni, {}), **incident.known.get(eni, {})}
        is_open = untrack is not None and groups[eni] == [untrack]
        tracking: Json = dict(interface.get("ConnectionTrackingConfiguration") or {}) or None
        # The kit's own timeouts are nothing to come back to; a later look takes them as they are.
        is_own_tracking = eni not in incident.known and complete(tracking) == complete(TIMEOUTS)
        states[eni] = {
            "groups": former.get("groups", groups[eni]) if is_open else groups[eni],
            "tracking": former.get("tracking", tracking)
            if is_open or is_own_tracking
            else tracking,
            "isolate": usable(incident, vpc, Purpose.ISOLATE),
            "untrack": untrack,
            "open": is_open,
        }
        if service := managed_service.manager(interface):
            states[eni]["managed_by"] = service
            incident.risk(
                f"{eni} is managed by {service}, so EC2 may refuse to change it. What can be done "
                f"then: {managed_service.advice(service)}"
            )
    return states


def groups_of(scene: Scene) -> dict[str, list[str]]:
    """Interface id to its groups as they are now, sorted."""
    return {
        str(i["NetworkInterfaceId"]): sorted(str(g["GroupId"]) for g in i["Groups"])
        for i in scene.interfaces
    }


def is_isolated(state: Mapping[str, Json]) -> bool:
    """Whether an interface has the isolate group and no other."""
    return (
        bool(state["isolate"]) and not state.get("open") and state["groups"] == [state["isolate"]]
    )


def has_kit_group(incident: Incident[Scene], state: Mapping[str, Json]) -> bool:
    """Whether an interface has a group of the kit: by its tags, or because this look trusted it.

    Then its groups are what a response put there, whichever machine or case it was.
    """
    try:
        kit = {group.id for group in incident.subject.groups}
    except Exception:
        kit = set()  # a look that fails must keep nothing from being isolated
    return bool((kit | {state.get("isolate"), state.get("untrack")}) & set(state["groups"]))


def put(incident: Incident[Scene], eni: str, *groups: str) -> None:
    """Gives an interface these groups and no others."""
    incident.client("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=eni, Groups=list(groups)
    )


def shorten_timeouts(incident: Incident[Scene], interfaces: Iterable[str]) -> None:
    """Lets idle connections end soon; what can't be shortened is a risk."""

    def shorten(eni: str) -> None:
        incident.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=eni, ConnectionTrackingSpecification=TIMEOUTS
        )

    for eni, error in failures(incident, interfaces, shorten).items():
        incident.risk(
            "idle timeouts not shortened (only Nitro instances can), so connections that are open "
            f"and idle live on: {eni}: {error}"
        )


def restore(incident: Incident[Scene], before: Observation) -> None:
    """Each interface's own groups and idle timeouts, as they were.

    Never the untrack group: ValueError for an interface of which nothing else is known.
    """
    now = {
        str(i["NetworkInterfaceId"]): i.get("ConnectionTrackingConfiguration")
        for i in incident.subject.interfaces
    }

    def put_back(eni: str) -> None:
        state = before[eni]
        if state.get("untrack") in state["groups"]:
            raise ValueError("its groups from before are not known, and it is not opened")
        put(incident, eni, *state["groups"])
        if complete(state["tracking"]) != complete(now.get(eni)):
            incident.client("ec2").modify_network_interface_attribute(
                NetworkInterfaceId=eni,
                ConnectionTrackingSpecification=complete(state["tracking"]),
            )

    incident.aws.each(put_back, list(before))


def complete(tracking: Json) -> ConnectionTrackingSpecificationRequestTypeDef:
    """Idle timeouts with the defaults for those that nobody set."""
    return {**DEFAULTS, **(tracking or {})}


def failures(
    incident: Incident[Scene], interfaces: Iterable[str], work: Callable[[str], None]
) -> dict[str, str]:
    """Does `work` on all at once; the interfaces on which it failed, and how."""
    futures = {eni: incident.aws.spawn(work, eni) for eni in interfaces}
    errors = {eni: future.exception() for eni, future in futures.items()}
    return {eni: explain(error) for eni, error in errors.items() if error}
