"""Denies given remote addresses in the network ACL of the instance's subnets, both ways.

An escalation, only on request (`--nacl`): a network ACL is stateless and cuts even the connections
that security groups can't, at once, but for the whole subnet (VPC user guide, "Network ACLs").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Unpack

from responders.action import Action, Incident, Observation
from responders.aws import expecting
from responders.errors import Skip
from responders.json_values import Json, JsonObject
from responders.permissions import allow, ec2
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateNetworkAclEntryRequestTypeDef,
        DescribeNetworkAclsRequestPaginateTypeDef,
        NetworkAclEntryTypeDef,
        NetworkAclTypeDef,
    )

WAYS = {"ingress": False, "egress": True}
"""Direction to `Egress` in the API."""
ALL = "-1"
"""All protocols."""


@dataclass(frozen=True)
class DenySubnet(Action[Scene]):
    """A deny entry per address and direction, before the first entry that allows anything."""

    remotes: tuple[str, ...] = ()
    """Networks to deny, in CIDR notation."""

    name = "deny-subnet"
    announce = True
    permissions = (
        allow("ec2:DescribeNetworkAcls", because="reads the network ACLs of the subnets"),
        allow(
            "ec2:CreateNetworkAclEntry",
            "ec2:DeleteNetworkAclEntry",
            on=ec2("network-acl"),
            because="denies an attacker's addresses in a subnet; release removes the entries",
            risk="can change any network ACL, and cut off or open subnets",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """`<acl> <way> <cidr>` to the entries that deny it, and whether one of them comes first."""
        wanted = {(key.split()[0], key.split()[2]) for key in incident.known}
        acls = _of_subnets(incident) if self.remotes else {}
        wanted |= {(acl, cidr) for acl in acls for cidr in self.remotes}
        if not wanted:
            raise Skip("no address to deny")
        acls |= _by_id(incident, {acl for acl, _ in wanted} - set(acls))
        return {
            f"{acl} {direction} {cidr}": _state(acls[acl], direction, cidr)
            for acl, cidr in sorted(wanted)
            for direction in WAYS
            if acl in acls
        }

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each address and direction that is not denied first."""
        return tuple(
            f"{acl} lets {cidr} through ({direction}); denying it cuts off every subnet of this ACL"
            for (acl, direction, cidr), state in _split(observation)
            if cidr in self.remotes and not state["first"]
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Takes the lowest free numbers before the first entry that allows."""
        todo = [
            (acl, direction, cidr)
            for (acl, direction, cidr), state in _split(observation)
            if cidr in self.remotes and not state["first"]
        ]
        acls = _by_id(incident, {acl for acl, _, _ in todo})
        free = {
            (acl, direction): _free_numbers(described, direction)
            for acl, described in acls.items()
            for direction in WAYS
        }
        _tell_subnets(incident, acls)
        numbered = {(a, w, c): next(free[a, w], 0) for a, w, c in todo}

        def deny(entry: tuple[str, str, str]) -> None:
            acl, direction, cidr = entry
            if not numbered[entry]:
                raise ValueError("no rule number is free before the first one that allows")
            with expecting("NetworkAclEntryAlreadyExists"):  # by a try whose answer was lost
                request: CreateNetworkAclEntryRequestTypeDef = {
                    "NetworkAclId": acl,
                    "RuleNumber": numbered[entry],
                    "Protocol": ALL,
                    "RuleAction": "deny",
                    "Egress": WAYS[direction],
                }
                if ":" in cidr:
                    request["Ipv6CidrBlock"] = cidr
                else:
                    request["CidrBlock"] = cidr
                incident.client("ec2").create_network_acl_entry(**request)

        incident.aws.each(deny, todo)

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Removes the entries that were not there before; one refusal stops no other."""
        acls = _by_id(incident, {acl for (acl, _, _), _ in _split(before)})
        added = [
            (acl, direction, number)
            for (acl, direction, cidr), state in _split(before)
            if acl in acls
            for number in sorted(
                set(_state(acls[acl], direction, cidr)["entries"]) - set(state["entries"])
            )
        ]

        def remove(entry: tuple[str, str, int]) -> None:
            acl, direction, number = entry
            incident.client("ec2").delete_network_acl_entry(
                NetworkAclId=acl, RuleNumber=number, Egress=WAYS[direction]
            )

        incident.aws.each(remove, added)

    def restored(self, before: Json, now: Json) -> bool:
        """The same entries deny the address; what else is in the ACL is not ours."""
        return now is not None and bool(before["entries"] == now["entries"])


def _split(observation: Observation) -> Iterator[tuple[tuple[str, str, str], JsonObject]]:
    for key, state in observation.items():
        acl, direction, cidr = key.split()
        yield (acl, direction, cidr), state


def _of_subnets(incident: Incident[Scene]) -> dict[str, NetworkAclTypeDef]:
    """The network ACLs of the instance's subnets; Skip when none can be seen."""
    subnets = sorted({str(i["SubnetId"]) for i in incident.subject.interfaces})
    found = _acls(incident, Filters=[{"Name": "association.subnet-id", "Values": subnets}])
    if not found:
        raise Skip(
            f"no network ACL of {', '.join(subnets)} can be seen: in a shared VPC only its owner "
            "can change them",
            incomplete=True,
        )
    return found


def _by_id(incident: Incident[Scene], ids: set[str]) -> dict[str, NetworkAclTypeDef]:
    """These network ACLs, without those that were deleted meanwhile."""
    found: dict[str, NetworkAclTypeDef] = {}
    for acl in sorted(ids):
        with expecting("InvalidNetworkAclID.NotFound"):
            found |= _acls(incident, NetworkAclIds=[acl])
    return found


def _acls(
    incident: Incident[Scene], **which: Unpack[DescribeNetworkAclsRequestPaginateTypeDef]
) -> dict[str, NetworkAclTypeDef]:
    pages = incident.client("ec2").get_paginator("describe_network_acls").paginate(**which)
    return {str(acl["NetworkAclId"]): acl for page in pages for acl in page["NetworkAcls"]}


def _field(cidr: str) -> Literal["CidrBlock", "Ipv6CidrBlock"]:
    return "Ipv6CidrBlock" if ":" in cidr else "CidrBlock"


def _entries(acl: NetworkAclTypeDef, direction: str) -> list[NetworkAclEntryTypeDef]:
    return [entry for entry in acl["Entries"] if bool(entry["Egress"]) == WAYS[direction]]


def _first_allow(acl: NetworkAclTypeDef, direction: str) -> int:
    allowing = [
        int(e["RuleNumber"]) for e in _entries(acl, direction) if e["RuleAction"] == "allow"
    ]
    return min(allowing, default=32_767)


def _state(acl: NetworkAclTypeDef, direction: str, cidr: str) -> JsonObject:
    numbers = sorted(
        int(entry["RuleNumber"])
        for entry in _entries(acl, direction)
        if entry["RuleAction"] == "deny"
        and entry["Protocol"] == ALL
        and entry.get(_field(cidr)) == cidr
    )
    return {"entries": numbers, "first": any(n < _first_allow(acl, direction) for n in numbers)}


def _free_numbers(acl: NetworkAclTypeDef, direction: str) -> Iterator[int]:
    used = {int(entry["RuleNumber"]) for entry in _entries(acl, direction)}
    return (n for n in range(1, _first_allow(acl, direction)) if n not in used)


def _tell_subnets(incident: Incident[Scene], acls: Mapping[str, NetworkAclTypeDef]) -> None:
    for name, acl in acls.items():
        subnets = sorted(str(a["SubnetId"]) for a in acl.get("Associations", ()))
        incident.note(f"{name} is the network ACL of {', '.join(subnets)}: all in there is cut off")
