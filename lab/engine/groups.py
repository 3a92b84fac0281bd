"""Security groups and their rules, as the AWS provider makes them.

A new group allows everything out, IPv4 and, where the VPC has IPv6, IPv6. The provider takes both
rules away when it creates a group, then adds the inline ones. `DefaultSecurityGroup` adopts a VPC's
default group and takes all its rules away first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from lab.engine.resource import Attributes, Create, Created, Existing, Kind, New, exists, nothing
from lab.engine.tags import ec2_tags


def _group(new: New) -> Created:
    ec2 = new.client("ec2")
    group = ec2.create_security_group(
        GroupName=new.name,
        Description=new.inputs.get("description", "Managed by Pulumi"),
        **new.renamed(vpcId="VpcId"),
        **new.tag_specification("security-group"),
    )["GroupId"]
    _strip(ec2, group)
    _add_inline(ec2, group, new.inputs)
    return group, _attributes(new, group)


def _default_group(new: New) -> Created:
    ec2 = new.client("ec2")
    filters = [
        {"Name": "vpc-id", "Values": [new.inputs["vpcId"]]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    [default] = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    group = default["GroupId"]
    _strip(ec2, group)
    _add_inline(ec2, group, new.inputs)
    if new.tags:
        ec2.create_tags(Resources=[group], Tags=new.tags)
    return group, {**_attributes(new, group), "name": "default"}


def _attributes(new: New, group: str) -> dict[str, Any]:
    arn = f"arn:aws:ec2:{new.region}:{new.account}:security-group/{group}"
    return {"arn": arn, "name": new.name, "ownerId": new.account}


def _strip(ec2: Any, group: str) -> None:
    ingress, egress = _permissions(ec2, group)
    if ingress:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=ingress)
    if egress:
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=egress)


def _permissions(ec2: Any, group: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The group's rules as EC2 lists them, in and out."""
    [described] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return described["IpPermissions"], described["IpPermissionsEgress"]


def _add_inline(ec2: Any, group: str, inputs: Mapping[str, Any]) -> None:
    if inputs.get("ingress"):
        permissions = [_permission(rule, group) for rule in inputs["ingress"]]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    if inputs.get("egress"):
        permissions = [_permission(rule, group) for rule in inputs["egress"]]
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=permissions)


def _permission(rule: Mapping[str, Any], group: str) -> dict[str, Any]:
    description = {"Description": rule["description"]} if rule.get("description") else {}
    groups = [*rule.get("securityGroups", []), *([group] if rule.get("self") else [])]
    permission: dict[str, Any] = {
        "IpProtocol": rule["protocol"],
        "IpRanges": [{"CidrIp": c, **description} for c in rule.get("cidrBlocks", [])],
        "Ipv6Ranges": [{"CidrIpv6": c, **description} for c in rule.get("ipv6CidrBlocks", [])],
        "PrefixListIds": [
            {"PrefixListId": p, **description} for p in rule.get("prefixListIds", [])
        ],
        "UserIdGroupPairs": [{"GroupId": g, **description} for g in groups],
    }
    if rule["protocol"] != "-1":
        permission |= {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    return {key: value for key, value in permission.items() if value != []}


def _one_rule(direction: str) -> Create:
    """A rule that is a resource of its own."""

    def create(new: New) -> Created:
        inputs = new.inputs
        rule = {
            "protocol": inputs["ipProtocol"],
            "fromPort": inputs.get("fromPort"),
            "toPort": inputs.get("toPort"),
            "description": inputs.get("description"),
            "cidrBlocks": [inputs["cidrIpv4"]] if inputs.get("cidrIpv4") else [],
            "ipv6CidrBlocks": [inputs["cidrIpv6"]] if inputs.get("cidrIpv6") else [],
            "prefixListIds": [inputs["prefixListId"]] if inputs.get("prefixListId") else [],
            "securityGroups": [inputs["referencedSecurityGroupId"]]
            if inputs.get("referencedSecurityGroupId")
            else [],
        }
        group = inputs["securityGroupId"]
        authorize = getattr(new.client("ec2"), f"authorize_security_group_{direction}")
        created = authorize(
            GroupId=group,
            IpPermissions=[_permission(rule, group)],
            **new.tag_specification("security-group-rule"),
        )["SecurityGroupRules"][0]
        rule_id = created["SecurityGroupRuleId"]
        arn = f"arn:aws:ec2:{new.region}:{new.account}:security-group-rule/{rule_id}"
        return rule_id, {"arn": arn, "securityGroupRuleId": rule_id}

    return create


def _replace_rules(existing: Existing) -> None:
    ec2 = existing.client("ec2")
    _strip(ec2, existing.id)
    _add_inline(ec2, existing.id, existing.inputs)


def _changed_rules(existing: Existing) -> Attributes:
    """The rules of a direction, if they are not those declared."""
    changed: Attributes = {}
    described = _permissions(existing.client("ec2"), existing.id)
    for direction, permissions in zip(("ingress", "egress"), described, strict=True):
        declared = [_permission(rule, existing.id) for rule in existing.inputs.get(direction) or ()]
        if _flat(declared) != _flat(permissions):
            changed[direction] = [_wire(permission) for permission in permissions]
    return changed


PEERS = {
    "IpRanges": ("cidrBlocks", "CidrIp"),
    "Ipv6Ranges": ("ipv6CidrBlocks", "CidrIpv6"),
    "PrefixListIds": ("prefixListIds", "PrefixListId"),
    "UserIdGroupPairs": ("securityGroups", "GroupId"),
}
"""Kinds of peers in a permission of EC2: the rule's key in wire form, and the peer's own."""


def _flat(permissions: Iterable[Mapping[str, Any]]) -> set[tuple[object, ...]]:
    """One tuple per protocol, ports and peer, since EC2 may group peers in another way."""
    return {
        (p["IpProtocol"], p.get("FromPort"), p.get("ToPort"), peer[key])
        for p in permissions
        for kind, (_, key) in PEERS.items()
        for peer in p.get(kind, ())
    }


def _wire(permission: Mapping[str, Any]) -> Attributes:
    """A permission of EC2 as an inline rule."""
    rule: Attributes = {
        "protocol": permission["IpProtocol"],
        "fromPort": permission.get("FromPort", 0),
        "toPort": permission.get("ToPort", 0),
    }
    for kind, (name, key) in PEERS.items():
        if permission.get(kind):
            rule[name] = [peer[key] for peer in permission[kind]]
    return rule


def _delete(existing: Existing) -> None:
    """With `revokeRulesOnDelete` the provider reads the group first, and fails if it is gone."""
    ec2 = existing.client("ec2")
    if existing.inputs.get("revokeRulesOnDelete"):
        try:
            _strip(ec2, existing.id)
        except ClientError as error:
            raise RuntimeError(f"reading Security Group ({existing.id}): {error}") from error
    ec2.delete_security_group(GroupId=existing.id)


def _rule_exists(existing: Existing) -> object:
    return existing.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[existing.id])[
        "SecurityGroupRules"
    ]


def _rule_kind(direction: str) -> Kind:
    def revoke(existing: Existing) -> None:
        getattr(existing.client("ec2"), f"revoke_security_group_{direction}")(
            GroupId=existing.inputs["securityGroupId"], SecurityGroupRuleIds=[existing.id]
        )

    return Kind(_one_rule(direction), exists(_rule_exists), revoke, {"tags": ec2_tags}, NO_RULE)


NO_GROUP = ("InvalidGroup.NotFound", "InvalidGroupId.NotFound")
NO_RULE = (*NO_GROUP, "InvalidSecurityGroupRuleId.NotFound")

KINDS = {
    "aws:ec2/securityGroup:SecurityGroup": Kind(
        _group,
        _changed_rules,
        _delete,
        {
            "ingress": _replace_rules,
            "egress": _replace_rules,
            "revokeRulesOnDelete": nothing,
            "tags": ec2_tags,
        },
        NO_GROUP,
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Kind(
        _default_group,
        _changed_rules,
        nothing,  # it is deleted with its VPC only
        {"ingress": _replace_rules, "egress": _replace_rules, "tags": ec2_tags},
        NO_GROUP,
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule_kind("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule_kind("egress"),
}
