"""Takes the public IPv4 addresses from the instance: Elastic IPs, and the one that EC2 assigned.

An Elastic IP is disassociated and comes back on release. An assigned address is given up for good:
release has EC2 assign another one. EC2 may assign one when an Elastic IP leaves the first
interface (EC2 user guide, "Elastic IP addresses"), so this is looked at once more at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.json_values import Json, JsonObject
from responders.permissions import allow, ec2
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import AddressTypeDef

ALLOCATION = "eipalloc-"
"""Begins the id of an Elastic IP; every other thing is an interface with an assigned address."""


class DropAddresses(Action[Scene]):
    """No public IPv4 address on any interface."""

    name = "drop-addresses"
    permissions = (
        allow("ec2:DescribeAddresses", because="finds the Elastic IPs of the instance"),
        allow(
            "ec2:DisassociateAddress",
            "ec2:AssociateAddress",
            on=(ec2("elastic-ip"), ec2("network-interface"), ec2("instance")),
            because="takes Elastic IPs from the instance; release puts them back",
            risk="can move any Elastic IP of the account",
        ),
        allow(
            "ec2:ModifyNetworkInterfaceAttribute",
            on=(ec2("network-interface"), ec2("instance")),
            because="has EC2 assign no public address; release has it assign one again",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Elastic IP to its address and place; interface to the address that EC2 assigned to it."""
        elastic = {str(a["AllocationId"]): _place(a) for a in _elastic(incident)}
        observation = {**elastic, **_assigned(incident, {a["address"] for a in elastic.values()})}
        gone = {key: None for key in incident.known if key not in observation}
        if not observation and not gone:
            raise Skip("no public IPv4 address")
        return dict(sorted({**observation, **gone}.items()))

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each address that is on one of the instance's interfaces."""
        return tuple(
            f"{state['address']} is on {state['interface']}"
            if key.startswith(ALLOCATION)
            else f"{state['address']} is on {key}; it is given up, and release brings another"
            for key, state in _present(incident, observation).items()
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Disassociates, and has EC2 assign none; one refusal stops no other."""
        associations = {
            str(address["AllocationId"]): address.get("AssociationId")
            for address in _elastic(incident)
        }

        def drop(key: str) -> None:
            if not key.startswith(ALLOCATION):
                _assign(incident, key, False)
            elif association := associations.get(key):
                incident.client("ec2").disassociate_address(AssociationId=association)

        try:
            incident.aws.each(drop, list(_present(incident, observation)))
        finally:
            # Even after a failure: EC2 may have assigned an address where an Elastic IP left.
            incident.aws.each(
                lambda eni: _assign(incident, eni, False), _came(incident, observation)
            )

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Each Elastic IP on its interface and private address; another address by EC2."""

        def back(key: str) -> None:
            if not key.startswith(ALLOCATION):
                _assign(incident, key, True)
                return
            incident.client("ec2").associate_address(
                AllocationId=key,
                NetworkInterfaceId=before[key]["interface"],
                PrivateIpAddress=before[key]["private"],
                AllowReassociation=False,
            )

        incident.aws.each(back, [key for key, state in before.items() if state])

    def restored(self, before: Json, now: Json) -> bool:
        """An assigned address is never the same again; one that came by itself is not owed."""
        if before is None or now is None or "interface" in before:
            return bool(before == now)
        return bool(before["after_elastic"] or bool(before["address"]) == bool(now["address"]))


def _elastic(incident: Incident[Scene]) -> list[AddressTypeDef]:
    """The Elastic IPs on the instance, and those known from before, wherever they are."""
    places = {
        "network-interface-id": [str(i["NetworkInterfaceId"]) for i in incident.subject.interfaces],
        "allocation-id": [key for key in incident.known if key.startswith(ALLOCATION)],
    }
    addresses: list[AddressTypeDef] = []
    for name, values in places.items():
        if values:
            answer = incident.client("ec2").describe_addresses(
                Filters=[{"Name": name, "Values": values}]
            )
            addresses += answer["Addresses"]
    return addresses


def _place(address: AddressTypeDef) -> JsonObject:
    return {
        "address": str(address["PublicIp"]),
        "interface": address.get("NetworkInterfaceId") or None,
        "private": address.get("PrivateIpAddress") or None,
    }


def _assigned(incident: Incident[Scene], elastic: set[str]) -> JsonObject:
    """Interfaces that have, or had in this case, a public address that is no Elastic IP."""
    had_elastic = {
        state["interface"]
        for key, state in incident.known.items()
        if key.startswith(ALLOCATION) and state
    }
    addresses: JsonObject = {}
    for interface in incident.subject.interfaces:
        eni = str(interface["NetworkInterfaceId"])
        address = interface.get("Association", {}).get("PublicIp")
        address = None if address in elastic else address
        if address or eni in incident.known:
            addresses[eni] = {"address": address, "after_elastic": eni in had_elastic}
    return addresses


def _present(incident: Incident[Scene], observation: Observation) -> JsonObject:
    """What is on the instance's interfaces now."""
    ours = {str(i["NetworkInterfaceId"]) for i in incident.subject.interfaces}
    return {
        key: state
        for key, state in observation.items()
        if state and state["address"] and state.get("interface", key) in ours
    }


def _came(incident: Incident[Scene], observation: Observation) -> list[str]:
    """Interfaces to which EC2 assigned an address when their Elastic IP left."""
    left = {state["interface"] for state in observation.values() if state and "interface" in state}
    fresh = incident.subject.afresh()
    elastic = {str(address["PublicIp"]) for address in _elastic(incident)}
    return [
        str(interface["NetworkInterfaceId"])
        for interface in fresh.interfaces
        if interface["NetworkInterfaceId"] in left
        and interface.get("Association", {}).get("PublicIp", None) not in (None, *elastic)
    ]


def _assign(incident: Incident[Scene], eni: str, wanted: bool) -> None:
    incident.client("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=eni, AssociatePublicIpAddress=wanted
    )
