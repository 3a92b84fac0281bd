"""Makes sure that each VPC of the instance has its groups, with exactly the prepared rules.

Normally there is nothing to do. A group whose rules differ is repaired, a missing one is created;
both are loud, because they mean that the preparation failed or that somebody tampered with it.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from contract import (
    GROUP_DESCRIPTIONS,
    GROUP_NAMES,
    TAG_CASE,
    Purpose,
    Rules,
    kit_tags,
    rule_permission,
)
from responders import prepared
from responders.action import Action, Incident, Seen
from responders.aws import expecting
from responders.errors import Skip
from responders.permissions import allow, ec2


class PrepareGroups(Action):
    """The isolate group, and for `convert` the untrack group, of every VPC the instance is in."""

    name = "prepare-groups"
    permissions = (
        *prepared.PERMISSIONS,
        allow(
            "ec2:RevokeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:AuthorizeSecurityGroupEgress",
            on=ec2("security-group"),
            when={"StringLike": {"aws:ResourceTag/cordon:purpose": ["isolate", "untrack"]}},
            because="repairs a prepared group whose rules are not as prepared",
            risk="can open or close the kit's own groups, no others",
        ),
        allow(
            "ec2:CreateSecurityGroup",
            on=(ec2("security-group"), ec2("vpc")),
            because="creates an isolation group where none was prepared",
        ),
        allow(
            "ec2:CreateTags",
            on=ec2("security-group"),
            when={"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}},
            because="tags the group in the call that creates it",
        ),
    )

    def observe(self, incident: Incident) -> Seen:
        """`<vpc> <purpose>` to the group to use and its rules; None where there is none."""
        vpcs = sorted({str(i["VpcId"]) for i in incident.scene.interfaces})
        found = incident.scene.groups
        return {
            f"{vpc} {purpose}": _state(
                prepared.choose(found, vpc, purpose, incident.group_rules(purpose))
            )
            for vpc in vpcs
            for purpose in purposes(incident)
        }

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """A line for each group that is missing or not exactly as prepared."""
        told = []
        for thing, state in seen.items():
            vpc, purpose = thing.split()
            if state is None:
                told.append(f"{vpc} has no {purpose} group: it is created now")
            elif state["rules"] != _rules(incident.group_rules(Purpose(purpose))):
                told.append(f"{state['group']} ({purpose}, {vpc}) has rules that were not prepared")
        return tuple(told)

    def act(self, incident: Incident, seen: Seen) -> None:
        """Creates what is missing and repairs what differs."""
        for line in self.lacks(incident, seen):
            incident.risk(f"readiness: {line}")

        def one(thing: str) -> None:
            vpc, purpose = thing.split()
            state = seen[thing]
            group = state["group"] if state else _create(incident, vpc, Purpose(purpose))
            _repair(incident, group, incident.group_rules(Purpose(purpose)))

        incident.aws.each(one, list(seen))

    def undo(self, incident: Incident, before: Seen) -> None:
        """Nothing: a group as it was prepared stays so."""
        raise Skip("the prepared groups stay as they were prepared")


def purposes(incident: Incident) -> tuple[Purpose, ...]:
    """The groups that the chosen way of cutting needs."""
    if incident.options.tracking == "convert":
        return (Purpose.ISOLATE, Purpose.UNTRACK)
    return (Purpose.ISOLATE,)


def _state(group: prepared.Group | None) -> dict[str, Any] | None:
    return {"group": group.id, "rules": _rules(group.rules)} if group else None


def _rules(rules: Rules) -> dict[str, Any]:
    return {
        "ingress": [list(astuple(rule)) for rule in rules.ingress],
        "egress": [list(astuple(rule)) for rule in rules.egress],
    }


def _create(incident: Incident, vpc: str, purpose: Purpose) -> str:
    tags = kit_tags(purpose, {TAG_CASE: incident.case})
    answer = incident.client("ec2").create_security_group(
        GroupName=f"{GROUP_NAMES[purpose]}-on-demand",
        Description=GROUP_DESCRIPTIONS[purpose],
        VpcId=vpc,
        TagSpecifications=[
            {
                "ResourceType": "security-group",
                "Tags": [{"Key": k, "Value": v} for k, v in tags.items()],
            }
        ],
    )
    return str(answer["GroupId"])


def _repair(incident: Incident, group_id: str, wanted: Rules) -> None:
    """Removes every rule that was not prepared, IPv4 and IPv6, and adds those that lack."""
    ec2_client = incident.client("ec2")
    have = prepared.group(
        ec2_client.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    ).rules
    for way in ("ingress", "egress"):
        has, wants = set(getattr(have, way)), set(getattr(wanted, way))
        if extra := sorted(has - wants):
            getattr(ec2_client, f"revoke_security_group_{way}")(
                GroupId=group_id, IpPermissions=[rule_permission(r) for r in extra]
            )
        if lacking := sorted(wants - has):
            with expecting("InvalidPermission.Duplicate"):
                getattr(ec2_client, f"authorize_security_group_{way}")(
                    GroupId=group_id, IpPermissions=[rule_permission(r) for r in lacking]
                )
