"""Makes sure that each VPC of the instance has its groups, and that they do what they are for.

Normally there is nothing to do. Repair only closes: no rule is ever added to a group that is to
isolate. One that was opened has the rules revoked; where that is refused, or there is none, a fresh
and empty one is made. Both are loud: preparation failed, or somebody tampered with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from contract import (
    GROUP_DESCRIPTIONS,
    GROUP_NAMES,
    TAG_CASE,
    Purpose,
    Rule,
    Rules,
    group_rules,
    is_wide,
    kit_tags,
    permission_rules,
    rule_permission,
)
from responders import prepared
from responders.action import Action, Incident, Observation
from responders.aws import code_of, expecting, explain
from responders.errors import Skip
from responders.json_values import JsonObject
from responders.permissions import allow, ec2, purpose_is
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import SecurityGroupTypeDef

SHOWS_AFTER = 10.0
"""Seconds that EC2 is given to show a group that was just made."""


@dataclass(frozen=True)
class PrepareGroups(Action[Scene]):
    """The isolate group, and for `convert` the untrack group, of every VPC the instance is in."""

    untrack: bool = False
    """Whether the group that makes connections untracked is used too."""

    name = "prepare-groups"
    stays = True
    permissions = (
        *prepared.PERMISSIONS,
        allow(
            "ec2:RevokeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupEgress",
            on=ec2("security-group"),
            when=purpose_is(*GROUP_NAMES),
            because="closes a prepared group that somebody opened",
            risk="can close the kit's own groups, no others",
        ),
        allow(
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:AuthorizeSecurityGroupEgress",
            on=ec2("security-group"),
            when=purpose_is(Purpose.UNTRACK),
            because="completes the group that lets everything through for the dwell",
            risk="can open only a group that is tagged to let everything through",
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

    def observe(self, incident: Incident[Scene]) -> Observation:
        """`<vpc> <purpose>` to the group to use or repair, its rules, and whether it can be used;
        None where there is none."""
        vpcs = sorted({str(i["VpcId"]) for i in incident.subject.interfaces})
        return {
            f"{vpc} {purpose}": _state(incident, _chosen(incident, vpc, purpose), purpose)
            for vpc in vpcs
            for purpose in self._purposes()
        }

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each group that is missing or does not do what it is for."""
        lines = []
        for key, state in observation.items():
            vpc, purpose = key.split()
            if state is None:
                lines.append(f"{vpc} has no {purpose} group: it is created now")
            elif not state["usable"]:
                group = f"{state['group']} ({purpose}, {vpc})"
                lines.append(f"{group} has rules that were not prepared")
        return tuple(lines)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Closes what was opened; creates what is missing, or what can't be closed, anew."""
        for line in self.lacks(incident, observation):
            incident.risk(f"readiness: {line}")

        def make_usable(key: str) -> None:
            vpc, purpose = key.split()
            state = observation[key]
            if state and state["usable"]:
                return
            if state is None or not _repaired(incident, state["group"], Purpose(purpose)):
                _create(incident, vpc, Purpose(purpose))

        incident.aws.each(make_usable, list(observation))

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: a group as it was prepared stays so."""
        raise Skip("the prepared groups stay as they were prepared")

    def _purposes(self) -> tuple[Purpose, ...]:
        return (Purpose.ISOLATE, Purpose.UNTRACK) if self.untrack else (Purpose.ISOLATE,)


def usable(incident: Incident[Scene], vpc: str, purpose: Purpose) -> str | None:
    """The id of the group to use in a VPC; None where there is none that does what it is for."""
    group = _chosen(incident, vpc, purpose)
    return group.id if group and _is_usable(incident, group, purpose) else None


def _chosen(incident: Incident[Scene], vpc: str, purpose: Purpose) -> prepared.Group | None:
    return prepared.choose(
        incident.subject.groups,
        vpc,
        purpose,
        incident.prepared.rules(purpose),
        incident.account,
        incident.prepared.pinned_group(vpc, purpose),
    )


def _is_usable(incident: Incident[Scene], group: prepared.Group, purpose: Purpose) -> bool:
    # What a responder made has no SSH, whoever is pinned as a responder's network.
    made = prepared.ON_DEMAND in group.name
    rules = group_rules(purpose) if made else incident.prepared.rules(purpose)
    return prepared.is_usable(group, rules)


def _state(
    incident: Incident[Scene], group: prepared.Group | None, purpose: Purpose
) -> JsonObject | None:
    if group is None:
        return None
    usable_ = _is_usable(incident, group, purpose)
    return {"group": group.id, "rules": _rules(group.rules), "usable": usable_}


def _rules(rules: Rules) -> JsonObject:
    return {
        "ingress": [list(astuple(rule)) for rule in rules.ingress],
        "egress": [list(astuple(rule)) for rule in rules.egress],
    }


def _repaired(incident: Incident[Scene], group_id: str, purpose: Purpose) -> bool:
    """Whether the kit's own group can be used now; why it can't is told, and another is made."""
    try:
        _revoke(incident, group_id, incident.prepared.rules(purpose))
        if purpose == Purpose.UNTRACK:
            _admit(incident, group_id)
        group = prepared.group(_described(incident, group_id))
    except Exception as error:
        incident.risk(f"{group_id} ({purpose}) could not be repaired: {explain(error)}")
        return False
    if _is_usable(incident, group, purpose):
        return True
    incident.risk(
        f"{group_id} ({purpose}) lets SSH in from networks that nothing pins, and is not used: "
        "`cordon trust import` pins them"
    )
    return False


def _create(incident: Incident[Scene], vpc: str, purpose: Purpose) -> None:
    """A fresh group without rules to let anything in or out (or, to untrack, with all of them).

    A group that has the name already was judged unusable: it is passed by. ValueError when the
    rules that every new group has can't be taken from any.
    """
    name = f"{GROUP_NAMES[purpose]}{prepared.ON_DEMAND}"
    for candidate in (name, f"{name}-{incident.run}", f"{name}-{secrets.token_hex(4)}"):
        try:
            group_id = _create_named(incident, vpc, purpose, candidate)
        except Exception as error:
            if code_of(error) != "InvalidGroup.Duplicate":
                raise
            if not (group_id := _of_name(incident, vpc, candidate)):
                continue
        try:
            _revoke(incident, group_id, group_rules(purpose), everything=True)
        except Exception as error:
            incident.risk(f"{group_id} ({candidate}) could not be closed: {explain(error)}")
            continue
        if purpose == Purpose.UNTRACK:
            _admit(incident, group_id)
        incident.wait_for(partial(_shows, incident, group_id), seconds=SHOWS_AFTER, every=0.5)
        return
    raise ValueError(
        f"no {purpose} group could be made in {vpc} that is as it should be: give `--nacl` or "
        "`--stop`, or put the interfaces into a group without rules by hand"
    )


def _create_named(incident: Incident[Scene], vpc: str, purpose: Purpose, name: str) -> str:
    tags = kit_tags(purpose, {TAG_CASE: incident.case})
    answer = incident.client("ec2").create_security_group(
        GroupName=name,
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


def _of_name(incident: Incident[Scene], vpc: str, name: str) -> str:
    filters = {"vpc-id": vpc, "group-name": name, "owner-id": incident.account}
    answer = incident.client("ec2").describe_security_groups(
        Filters=[{"Name": k, "Values": [v]} for k, v in filters.items()]
    )
    return next((str(g["GroupId"]) for g in answer["SecurityGroups"]), "")


def _shows(incident: Incident[Scene], group_id: str) -> bool:
    groups = prepared.groups(incident.aws, incident.region)
    return any(group.id == group_id for group in groups)


def _revoke(
    incident: Incident[Scene], group_id: str, allowed: Rules, *, everything: bool = False
) -> None:
    """Removes every rule that is not allowed, whatever its peer, IPv4 and IPv6 alike.

    Where nothing is pinned, SSH from narrow networks may be what `pulumi up` prepared: it stays,
    unless `everything` goes, and the group is not used.
    """
    client = incident.client("ec2")
    spares_ssh = incident.prepared.document is None and not allowed.egress and not everything
    # Looked at again after: what one call leaves of an entry with several peers goes in the next.
    for _ in range(2):
        group = _described(incident, group_id)
        ingress = _extra(group["IpPermissions"], set(allowed.ingress), spares_ssh=spares_ssh)
        egress = _extra(group["IpPermissionsEgress"], set(allowed.egress))
        if ingress:
            client.revoke_security_group_ingress(GroupId=group_id, IpPermissions=ingress)
        if egress:
            client.revoke_security_group_egress(GroupId=group_id, IpPermissions=egress)
        if not ingress and not egress:
            return


def _extra(present: Sequence[Any], keeps: set[Rule], *, spares_ssh: bool = False) -> list[Any]:
    """EC2's permissions that must go, of those that are present."""
    extra: list[Any] = []
    for entry in present:
        rules = permission_rules([entry])
        going = [
            rule
            for rule in rules
            if rule not in keeps and not (spares_ssh and _may_be_responders(rule))
        ]
        # As it was described, which also takes a rule of a kind that is not known here.
        extra += [entry] if len(going) == len(rules) else map(rule_permission, going)
    return extra


def _may_be_responders(rule: Rule) -> bool:
    try:
        return (rule.protocol, rule.from_port, rule.to_port) == ("tcp", 22, 22) and not is_wide(
            rule.peer
        )
    except ValueError:
        return False  # a group or a prefix list


def _admit(incident: Incident[Scene], group_id: str) -> None:
    """Everything, both ways: only ever into a group that is meant to untrack."""
    client = incident.client("ec2")
    for way in ("ingress", "egress"):
        for rule in getattr(group_rules(Purpose.UNTRACK), way):
            with expecting("InvalidPermission.Duplicate"):
                getattr(client, f"authorize_security_group_{way}")(
                    GroupId=group_id, IpPermissions=[rule_permission(rule)]
                )


def _described(incident: Incident[Scene], group_id: str) -> SecurityGroupTypeDef:
    """The group as described; a new one may take a moment to show."""
    found: list[SecurityGroupTypeDef] = []

    def ready() -> bool:
        with expecting("InvalidGroup.NotFound"):
            answer = incident.client("ec2").describe_security_groups(GroupIds=[group_id])
            found.extend(answer["SecurityGroups"])
        return bool(found)

    if not incident.wait_for(ready, seconds=SHOWS_AFTER, every=0.5):
        raise ValueError(f"{group_id} does not show")
    return found[0]
