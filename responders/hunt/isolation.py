"""Whether a machine is cut off now: what the security groups of its interfaces let in and out.

Tags are not asked, for whoever runs the machine may write them. Connections that were open before
the groups changed may outlive them; `cordon instance` cuts those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from responders.aws import Aws, explain
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import IpPermissionOutputTypeDef

PERMISSIONS = (
    allow("ec2:DescribeSecurityGroups", because="sees whether a machine is cut off already"),
)


@dataclass(frozen=True)
class Isolation:
    """What the groups let out and in, as texts such as `tcp 22 from 203.0.113.0/24`."""

    outward: tuple[str, ...] = ()
    inward: tuple[str, ...] = ()
    error: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing goes in or out."""
        return not (self.outward or self.inward or self.error)

    @property
    def words(self) -> str:
        """For people; empty when the machine can reach the network, or nothing is known."""
        if self.outward or self.error:
            return ""
        return f"cut off but for {', '.join(self.inward)}" if self.inward else "cut off"


def isolation(aws: Aws, region: str, groups: Sequence[str]) -> Isolation:
    """Of a machine with these groups. That it has none, or that they can't be read, is an error."""
    if not groups:
        return Isolation(error="its groups are not known")
    try:
        answer = aws.client("ec2", region).describe_security_groups(GroupIds=list(groups))
    except Exception as error:
        return Isolation(error=explain(error))
    security_groups = answer["SecurityGroups"]
    if {group["GroupId"] for group in security_groups} != set(groups):
        return Isolation(error="not all of its groups are there")
    return Isolation(
        tuple(
            rule for group in security_groups for rule in _rules(group["IpPermissionsEgress"], "to")
        ),
        tuple(rule for group in security_groups for rule in _rules(group["IpPermissions"], "from")),
    )


def _rules(permissions: Sequence[IpPermissionOutputTypeDef], word: str) -> Iterator[str]:
    for permission in permissions:
        protocol = permission["IpProtocol"].replace("-1", "all")
        port = f" {permission['FromPort']}" if "FromPort" in permission else ""
        peers = [
            *(peer["CidrIp"] for peer in permission.get("IpRanges", ())),
            *(peer["CidrIpv6"] for peer in permission.get("Ipv6Ranges", ())),
            *(peer["PrefixListId"] for peer in permission.get("PrefixListIds", ())),
            *(peer.get("GroupId", "") for peer in permission.get("UserIdGroupPairs", ())),
        ]
        yield from (f"{protocol}{port} {word} {peer}" for peer in peers)
