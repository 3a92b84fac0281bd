"""The way out: takes the prepared groups from a VPC that its owner wants to delete.

A security group that exists in a VPC blocks the deletion of that VPC. The VPC gets the ignore tag,
so that the next `pulumi up` does not put the groups back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import GROUP_NAMES, TAG_IGNORE, TAG_KIT
from responders import prepared
from responders.aws import Aws, expecting
from responders.errors import BadInput
from responders.permissions import allow, ec2, only_tags, purpose_is

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

PERMISSIONS = (
    allow(
        "ec2:DescribeVpcs",
        "ec2:DescribeNetworkInterfaces",
        because="looks whether a prepared group is in use",
    ),
    allow(
        "ec2:DeleteSecurityGroup",
        on=ec2("security-group"),
        when=purpose_is(*GROUP_NAMES),
        because="removes the kit's groups from a VPC (`cordon vpc release`)",
        risk="can remove the kit's own groups that are not in use",
    ),
    allow(
        "ec2:CreateTags",
        on=ec2("vpc"),
        when=only_tags(TAG_IGNORE),
        because="tells preparation to leave a VPC alone",
        risk="can make preparation leave out a VPC; `cordon ready` names it",
    ),
)


@dataclass(frozen=True)
class Left:
    """What was removed from a VPC, or would be."""

    vpc: str
    groups: tuple[str, ...]


def leave_vpc(aws: Aws, vpc: str, region: str, *, dry_run: bool) -> Left:
    """Removes the kit's groups from a VPC and tags it; BadInput while one of them is in use."""
    client = aws.client("ec2", region)
    if not client.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Vpcs"]:
        raise BadInput(f"there is no VPC {vpc} in {region}", "Check the id, and --region.")
    groups = [g.id for g in _ours(client, aws, region, vpc)]
    if used := _uses(client, groups):
        raise BadInput(
            f"still in use: {'; '.join(used)}",
            "Release those instances first (`cordon release TARGET --case ID`).",
        )
    if not dry_run:
        client.create_tags(Resources=[vpc], Tags=[{"Key": TAG_IGNORE, "Value": "true"}])
        for group in groups:
            with expecting("InvalidGroup.NotFound"):
                client.delete_security_group(GroupId=group)
    return Left(vpc, tuple(groups))


def _ours(client: EC2Client, aws: Aws, region: str, vpc: str) -> Sequence[prepared.Group]:
    """Groups of the kit in the VPC; one that only carries the purpose tag is not ours."""
    found = prepared.groups(aws, region, [vpc])
    if not found:
        return ()
    answer = client.describe_security_groups(GroupIds=[g.id for g in found])
    kit = {
        g["GroupId"]
        for g in answer["SecurityGroups"]
        if any(t["Key"] == TAG_KIT for t in g.get("Tags", ()))
    }
    return [g for g in found if g.id in kit]


def _uses(client: EC2Client, groups: Sequence[str]) -> list[str]:
    if not groups:
        return []
    pages = client.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "group-id", "Values": list(groups)}]
    )
    return [
        f"{i['NetworkInterfaceId']} of {i.get('Attachment', {}).get('InstanceId', 'nothing')}"
        for page in pages
        for i in page["NetworkInterfaces"]
    ]
