"""What Pulumi prepared in a region, found by tag and by one parameter, and verified before use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import (
    GROUP_NAMES,
    MANIFEST_PARAMETER,
    TAG_PURPOSE,
    Manifest,
    Purpose,
    Rules,
    group_rules,
    permission_rules,
)
from responders.aws import Aws, code_of
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        FilterTypeDef,
        IpPermissionOutputTypeDef,
        SecurityGroupRuleTypeDef,
        SecurityGroupTypeDef,
    )

PERMISSIONS = (
    allow("ec2:DescribeSecurityGroups", because="finds the prepared groups and reads their rules"),
    allow(
        "ec2:GetSecurityGroupsForVpc",
        "ec2:DescribeSecurityGroupRules",
        because="does the same where DescribeSecurityGroups does not answer",
    ),
    allow(
        "ssm:GetParameter",
        on="arn:{partition}:ssm:*:{account}:parameter" + MANIFEST_PARAMETER,
        because="reads what the region has prepared",
    ),
)


ON_DEMAND = "-on-demand"
"""In the name of a group that a responder made because no prepared one could be used."""


@dataclass(frozen=True)
class Group:
    """A security group that says it is the kit's, by name or by tag, with all its rules."""

    id: str
    vpc: str
    purpose: str
    rules: Rules
    owner: str = ""
    """The account it belongs to; in a shared VPC each account has groups of its own."""
    name: str = ""


def groups(aws: Aws, region: str, vpcs: Iterable[str] = ()) -> list[Group]:
    """The groups of a region (of some of its VPCs) that have a name of the kit's, by id.

    A group's name is fixed when it is made, and no other group of its VPC can have it; its tags
    anybody may change who may tag (EC2 API reference, CreateSecurityGroup).
    """
    names = [name for base in GROUP_NAMES.values() for name in (base, f"{base}{ON_DEMAND}*")]
    return _described(aws, region, vpcs, {"Name": "group-name", "Values": names})


def tagged(aws: Aws, region: str, vpcs: Iterable[str] = ()) -> list[Group]:
    """The groups that only their tag says to be the kit's, and those that are, by id."""
    purposes = [purpose.value for purpose in GROUP_NAMES]
    return _described(aws, region, vpcs, {"Name": f"tag:{TAG_PURPOSE}", "Values": purposes})


def _described(aws: Aws, region: str, vpcs: Iterable[str], which: FilterTypeDef) -> list[Group]:
    filters: list[FilterTypeDef] = [which]
    if vpcs:
        filters.append({"Name": "vpc-id", "Values": sorted(vpcs)})
    pages = aws.client("ec2", region).get_paginator("describe_security_groups")
    answers = [g for page in pages.paginate(Filters=filters) for g in page["SecurityGroups"]]
    return sorted((group(answer) for answer in answers), key=lambda g: g.id)


def groups_by_rules(aws: Aws, region: str, vpcs: Iterable[str]) -> list[Group]:
    """The same for some VPCs, by two other operations: for when DescribeSecurityGroups fails.

    DescribeSecurityGroupRules shows no rules of another account's groups, and without rules any
    group would pass for one that isolates: so those of others are left out.
    """
    ec2 = aws.client("ec2", region)
    pages = ec2.get_paginator("get_security_groups_for_vpc")
    listed = [
        (vpc, entry)
        for vpc in sorted(vpcs)
        for page in pages.paginate(VpcId=vpc)
        for entry in page["SecurityGroupForVpcs"]
        if any(tag["Key"] == TAG_PURPOSE for tag in entry.get("Tags", ()))
    ]
    own = [(vpc, entry) for vpc, entry in listed if entry["OwnerId"] == aws.identity.account]
    if not own:
        return []
    ids = [entry["GroupId"] for _, entry in own]
    rules = [
        rule
        for page in ec2.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": ids}]
        )
        for rule in page["SecurityGroupRules"]
    ]
    described: list[SecurityGroupTypeDef] = [
        {
            "GroupId": entry["GroupId"],
            "VpcId": vpc,
            "OwnerId": entry["OwnerId"],
            "Tags": entry.get("Tags", []),
            "IpPermissions": _permissions(rules, entry["GroupId"], egress=False),
            "IpPermissionsEgress": _permissions(rules, entry["GroupId"], egress=True),
        }
        for vpc, entry in own
    ]
    return sorted((group(entry) for entry in described), key=lambda g: g.id)


def _permissions(
    rules: Iterable[SecurityGroupRuleTypeDef], group_id: str, *, egress: bool
) -> list[IpPermissionOutputTypeDef]:
    """One direction of a group's rules, each as an `IpPermission` of its own."""
    return [
        {
            "IpProtocol": rule["IpProtocol"],
            "FromPort": rule.get("FromPort", -1),
            "ToPort": rule.get("ToPort", -1),
            "IpRanges": [{"CidrIp": rule["CidrIpv4"]}] if rule.get("CidrIpv4") else [],
            "Ipv6Ranges": [{"CidrIpv6": rule["CidrIpv6"]}] if rule.get("CidrIpv6") else [],
            "PrefixListIds": [{"PrefixListId": rule["PrefixListId"]}]
            if rule.get("PrefixListId")
            else [],
            "UserIdGroupPairs": [{"GroupId": rule["ReferencedGroupInfo"].get("GroupId", "unknown")}]
            if rule.get("ReferencedGroupInfo")
            else [],
        }
        for rule in rules
        if rule["GroupId"] == group_id and rule["IsEgress"] == egress
    ]


def group(described: SecurityGroupTypeDef) -> Group:
    """One entry of DescribeSecurityGroups; the purpose is its name's, or else its tag's."""
    tags = {t["Key"]: t["Value"] for t in described.get("Tags", ())}
    name = str(described.get("GroupName", ""))
    of_name = [str(p.value) for p, base in GROUP_NAMES.items() if _has_name(name, base)]
    return Group(
        str(described["GroupId"]),
        str(described.get("VpcId", "")),
        of_name[0] if of_name else tags.get(TAG_PURPOSE, ""),
        Rules(
            permission_rules(described.get("IpPermissions", ())),
            permission_rules(described.get("IpPermissionsEgress", ())),
        ),
        str(described.get("OwnerId", "")),
        name,
    )


def _has_name(name: str, base: str) -> bool:
    return name == base or name.startswith(f"{base}{ON_DEMAND}")


def is_usable(group: Group, rules: Rules) -> bool:
    """Whether a group does what it is for.

    One that isolates may let in less than `rules`, never more, and nothing out; one that makes
    connections untracked must let everything through, as `rules` say.
    """
    if group.purpose != Purpose.ISOLATE:
        return group.rules == rules
    return not group.rules.egress and set(group.rules.ingress) <= set(rules.ingress)


def choose(
    listed: Iterable[Group],
    vpc: str,
    purpose: Purpose,
    rules: Rules,
    owner: str,
    pinned: str = "",
) -> Group | None:
    """The group to use in a VPC, or to repair if none `is_usable`; None if there is none.

    The kit's own comes first: the pinned one, or where nothing is pinned the one of its name. Then
    one that a responder made. No other is ever chosen, however it is tagged. Only groups of the
    `owner` (an account) count: those of others can't be put on its interfaces (VPC user guide,
    "Share your VPC").
    """
    own = [g for g in listed if (g.vpc, g.purpose, g.owner) == (vpc, purpose.value, owner)]
    kit = [g for g in own if (g.id == pinned if pinned else g.name == GROUP_NAMES[purpose])]
    spare = [g for g in own if g.name.startswith(GROUP_NAMES[purpose] + ON_DEMAND)]
    usable = [g for g in kit if is_usable(g, rules)]
    usable += [g for g in spare if is_usable(g, group_rules(purpose))]
    return next(iter([*usable, *kit]), None)


def manifest(aws: Aws, region: str) -> Manifest | None:
    """The region's manifest; None where there is no parameter. ValueError when it is unreadable."""
    try:
        answer = aws.client("ssm", region).get_parameter(Name=MANIFEST_PARAMETER)
    except Exception as error:
        if code_of(error) == "ParameterNotFound":
            return None
        raise
    return Manifest.from_json(str(answer["Parameter"]["Value"]))
