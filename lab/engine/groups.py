"""Security groups and their rules, as the AWS provider makes them.

A new group allows everything out, IPv4 and, where the VPC has IPv6, IPv6. The provider takes both
rules away when it creates a group, then adds the inline ones. `DefaultSecurityGroup` adopts a VPC's
default group and takes all its rules away first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.engine.resource import Create, Created, New


def _group(new: New) -> Created:
    ec2 = new.client("ec2")
    group = ec2.create_security_group(
        GroupName=new.name,
        Description=new.inputs.get("description", "Managed by Pulumi"),
        **new.some(vpcId="VpcId"),
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
    [found] = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    group = found["GroupId"]
    _strip(ec2, group)
    _add_inline(ec2, group, new.inputs)
    if new.tags:
        ec2.create_tags(Resources=[group], Tags=new.tags)
    return group, {**_attributes(new, group), "name": "default"}


def _attributes(new: New, group: str) -> dict[str, Any]:
    arn = f"arn:aws:ec2:{new.region}:{new.account}:security-group/{group}"
    return {"arn": arn, "name": new.name, "ownerId": new.account}


def _strip(ec2: Any, group: str) -> None:
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    if found["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])
    if found["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found["IpPermissionsEgress"])


def _add_inline(ec2: Any, group: str, inputs: Mapping[str, Any]) -> None:
    if inputs.get("ingress"):
        permissions = [_permission(rule, group) for rule in inputs["ingress"]]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    if inputs.get("egress"):
        permissions = [_permission(rule, group) for rule in inputs["egress"]]
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=permissions)


def _permission(rule: Mapping[str, Any], group: str) -> dict[str, Any]:
    told = {"Description": rule["description"]} if rule.get("description") else {}
    groups = [*rule.get("securityGroups", []), *([group] if rule.get("self") else [])]
    permission: dict[str, Any] = {
        "IpProtocol": rule["protocol"],
        "IpRanges": [{"CidrIp": c, **told} for c in rule.get("cidrBlocks", [])],
        "Ipv6Ranges": [{"CidrIpv6": c, **told} for c in rule.get("ipv6CidrBlocks", [])],
        "PrefixListIds": [{"PrefixListId": p, **told} for p in rule.get("prefixListIds", [])],
        "UserIdGroupPairs": [{"GroupId": g, **told} for g in groups],
    }
    if rule["protocol"] != "-1":
        permission |= {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    return {key: value for key, value in permission.items() if value != []}


def _one_rule(direction: str) -> Create:
    """A rule that is a resource of its own."""

    def create(new: New) -> Created:
        given = new.inputs
        rule = {
            "protocol": given["ipProtocol"],
            "fromPort": given.get("fromPort"),
            "toPort": given.get("toPort"),
            "description": given.get("description"),
            "cidrBlocks": [given["cidrIpv4"]] if given.get("cidrIpv4") else [],
            "ipv6CidrBlocks": [given["cidrIpv6"]] if given.get("cidrIpv6") else [],
            "prefixListIds": [given["prefixListId"]] if given.get("prefixListId") else [],
            "securityGroups": [given["referencedSecurityGroupId"]]
            if given.get("referencedSecurityGroupId")
            else [],
        }
        group = given["securityGroupId"]
        authorize = getattr(new.client("ec2"), f"authorize_security_group_{direction}")
        made = authorize(
            GroupId=group,
            IpPermissions=[_permission(rule, group)],
            **new.tag_specification("security-group-rule"),
        )["SecurityGroupRules"][0]
        rule_id = made["SecurityGroupRuleId"]
        arn = f"arn:aws:ec2:{new.region}:{new.account}:security-group-rule/{rule_id}"
        return rule_id, {"arn": arn, "securityGroupRuleId": rule_id}

    return create


CREATE = {
    "aws:ec2/securityGroup:SecurityGroup": _group,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _default_group,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _one_rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _one_rule("egress"),
}
