"""Makes sure that each VPC of the instance has its groups, with exactly the prepared rules.

Normally there is nothing to do. A group whose rules differ is repaired, a missing one is created;
both are loud, because they mean that the preparation failed or that somebody tampered with it.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from contract import (
    GROUP_DESCRIPTIONS,
    GROUP_NAMES,
    TAG_CASE,
    TAG_PURPOSE,
    Purpose,
    Rules,
    group_rules,
    kit_tags,
    permission_rules,
    rule_permission,
)
from responders import prepared
from responders.action import Action, Incident, Observation
from responders.aws import code_of, expecting
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
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:AuthorizeSecurityGroupEgress",
            on=ec2("security-group"),
            when=purpose_is(*GROUP_NAMES),
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

    def observe(self, incident: Incident[Scene]) -> Observation:
        """`<vpc> <purpose>` to the group to use and its rules; None where there is none."""
        vpcs = sorted({str(i["VpcId"]) for i in incident.subject.interfaces})
        found = incident.subject.groups
        return {
            f"{vpc} {purpose}": _state(
                prepared.choose(
                    found,
                    vpc,
                    purpose,
                    _expected(incident, purpose),
                    incident.account,
                )
            )
            for vpc in vpcs
            for purpose in self._purposes()
        }

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each group that is missing or not exactly as prepared."""
        told = []
        for thing, state in observation.items():
            vpc, purpose = thing.split()
            if state is None:
                told.append(f"{vpc} has no {purpose} group: it is created now")
            elif state["rules"] != _rules(_expected(incident, Purpose(purpose))):
                told.append(f"{state['group']} ({purpose}, {vpc}) has rules that were not prepared")
        return tuple(told)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Creates what is missing and repairs what differs, and waits until all of it shows."""
        for line in self.lacks(incident, observation):
            incident.risk(f"readiness: {line}")

        def one(thing: str) -> None:
            vpc, purpose = thing.split()
            state = observation[thing]
            group = state["group"] if state else _create(incident, vpc, Purpose(purpose))
            _repair(incident, group, _expected(incident, Purpose(purpose)))
            incident.wait_for(lambda: _shows(incident, group), seconds=SHOWS_AFTER, every=0.5)

        incident.aws.each(one, list(observation))

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: a group as it was prepared stays so."""
        raise Skip("the prepared groups stay as they were prepared")

    def _purposes(self) -> tuple[Purpose, ...]:
        return (Purpose.ISOLATE, Purpose.UNTRACK) if self.untrack else (Purpose.ISOLATE,)


def _expected(incident: Incident[Scene], purpose: Purpose) -> Rules:
    """The rules that a prepared group must have in this region."""
    return group_rules(purpose, incident.manifest.responder_cidrs)


def _state(group: prepared.Group | None) -> JsonObject | None:
    return {"group": group.id, "rules": _rules(group.rules)} if group else None


def _rules(rules: Rules) -> JsonObject:
    return {
        "ingress": [list(astuple(rule)) for rule in rules.ingress],
        "egress": [list(astuple(rule)) for rule in rules.egress],
    }


def _create(incident: Incident[Scene], vpc: str, purpose: Purpose) -> str:
    """A new group, or the one that an earlier try made; a squatter of the name is passed by."""
    name = f"{GROUP_NAMES[purpose]}-on-demand"
    for one in (name, f"{name}-{incident.run}"):
        try:
            return _create_named(incident, vpc, purpose, one)
        except Exception as error:
            if code_of(error) != "InvalidGroup.Duplicate":
                raise
        if found := _tagged(incident, vpc, purpose, one):
            return found
    raise ValueError(f"{vpc} has groups named {name} already, and none is tagged as the kit's")


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


def _tagged(incident: Incident[Scene], vpc: str, purpose: Purpose, name: str) -> str:
    filters = {"vpc-id": vpc, "group-name": name, f"tag:{TAG_PURPOSE}": purpose.value}
    answer = incident.client("ec2").describe_security_groups(
        Filters=[{"Name": k, "Values": [v]} for k, v in filters.items()]
    )
    return next((str(g["GroupId"]) for g in answer["SecurityGroups"]), "")


def _shows(incident: Incident[Scene], group_id: str) -> bool:
    groups = prepared.groups(incident.aws, incident.region)
    return any(group.id == group_id for group in groups)


def _repair(incident: Incident[Scene], group_id: str, wanted: Rules) -> None:
    """Removes every rule that was not prepared, whatever its peer, and adds those that lack."""
    client = incident.client("ec2")
    group = _described(incident, group_id)
    entries = {"ingress": group["IpPermissions"], "egress": group["IpPermissionsEgress"]}
    for way, present in entries.items():
        wants = set(getattr(wanted, way))
        extra = [e for e in present if not wants.issuperset(permission_rules([e]))]
        if extra:
            getattr(client, f"revoke_security_group_{way}")(GroupId=group_id, IpPermissions=extra)
        kept = permission_rules([entry for entry in present if entry not in extra])
        if lacking := sorted(wants - set(kept)):
            with expecting("InvalidPermission.Duplicate"):
                getattr(client, f"authorize_security_group_{way}")(
                    GroupId=group_id, IpPermissions=[rule_permission(r) for r in lacking]
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
