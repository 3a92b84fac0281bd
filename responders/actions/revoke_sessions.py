"""Ends the sessions of the instance's role: those of this instance, wherever they are used now.

A policy on the role denies what this instance's sessions ask for, if they were issued before 30 s
from now; later ones can't be had, for the profile was swapped before. Where it could not be
swapped, the instance's sessions are denied whenever they were issued. `--role-wide` denies the
sessions of all who have the role, and says first who they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from responders.action import Action, Incident, Observation
from responders.actions.swap_profile import PROFILE, SwapProfile, associated, is_isolated, name_of
from responders.aws import code_of, explain
from responders.errors import Skip
from responders.identity import deny_document
from responders.identity.deny_document import Document
from responders.identity.deny_policy import IdentityPolicy
from responders.identity.principal import Principal, is_own
from responders.identity.subject import require_editable, trusted
from responders.json_values import Json, JsonObject
from responders.permissions import allow
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import RoleTypeDef

EC2_SERVICES = ("ec2.amazonaws.com", "ec2.amazonaws.com.cn")
"""What the trust policy of an instance's role names; nobody else gets sessions by it."""


@dataclass(frozen=True)
class RevokeSessions(Action[Scene]):
    """A deny policy on the role that the instance has, or had before its profile was swapped."""

    role_wide: bool = False
    """Deny the sessions of all who have the role."""

    name = "revoke-sessions"
    permissions = (
        allow(
            "iam:GetInstanceProfile",
            on="arn:{partition}:iam::{account}:instance-profile/*",
            because="finds the role of the instance's profile",
        ),
        allow(
            "iam:ListInstanceProfilesForRole",
            on="arn:{partition}:iam::{account}:role/*",
            because="finds who else has the role before all of its sessions are denied",
        ),
    )  # and those of `responders.identity.deny_policy`

    @property
    def announce(self) -> bool:
        """Whom it hits, before it is done: role-wide it hits more than the instance."""
        return self.role_wide

    def observe(self, incident: Incident[Scene]) -> Observation:
        """`<role> <policy>` to the policy's state, the role's id, and if the instance has it still.

        Skip when there is no role, or none that anybody here can change.
        """
        roles = _roles(incident)
        observation: JsonObject = {}
        for role, holds in roles.values():
            for policy in self._policies(incident):
                observation[f"{role['RoleName']} {policy}"] = {
                    "policy": _policy(incident, role["RoleName"], policy).read(),
                    "role_id": role["RoleId"],
                    "holds": holds,
                }
        for key in set(incident.known) - set(observation):
            role_name, policy = key.split()
            observation[key] = {
                **incident.known[key],
                "policy": _policy(incident, role_name, policy).read(),
                "holds": False,
            }
        return dict(sorted(observation.items()))

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each role of which sessions are not denied; role-wide, whom that hits."""
        lines = []
        for role_name, policy, state in _split(observation):
            if _denied(incident, policy, state):
                continue
            if policy == _wide(incident):
                lines.append(f"all sessions of {role_name} go on: {_others(incident, role_name)}")
            else:
                lines.append(f"sessions of {role_name} on {incident.target} go on")
        return tuple(lines)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Writes the policies; one refusal stops no other."""
        todo = {
            f"{role_name} {policy}": (role_name, policy, state)
            for role_name, policy, state in _split(observation)
            if not _denied(incident, policy, state)
        }

        def revoke(key: str) -> None:
            role_name, policy, state = todo[key]
            if policy == _wide(incident) and is_own(
                Principal("role", role_name), incident.aws.identity
            ):
                raise ValueError("it is the role that you use now, and you would be cut off")
            wanted = _intended(incident, policy, state, incident.aws.now())
            if note := _policy(incident, role_name, policy).enforce(wanted):
                incident.note(note)

        incident.aws.each(revoke, list(todo))
        incident.risk(
            "sessions of other roles that were assumed with this one's credentials live on, up to "
            "an hour (role chaining): `cordon hunt` with the role's ARN shows them"
        )

    def is_own(self, incident: Incident[Scene], resource: str, state: Json) -> bool:
        """A policy that denies, under the name that a response of this case gives it."""
        return deny_document.is_deny((state["policy"] or {}).get("document"))

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Each policy as it was: gone, where there was none."""

        def restore(key: str) -> None:
            ((role_name, policy, state),) = _split({key: before[key]})
            _policy(incident, role_name, policy).restore(state["policy"])

        incident.aws.each(restore, list(before))

    def restored(self, before: Json, now: Json) -> bool:
        """The policies count; whether the instance has the role is another step's matter."""
        return now is not None and bool(before["policy"] == now["policy"])

    def _policies(self, incident: Incident[Scene]) -> tuple[str, ...]:
        narrow = deny_document.policy_name(incident.case, incident.target)
        return (narrow, _wide(incident)) if self.role_wide else (narrow,)


def _split(observation: Observation) -> Iterator[tuple[str, str, JsonObject]]:
    for key, state in observation.items():
        role_name, policy = key.split()
        yield role_name, policy, state


def _policy(incident: Incident[Scene], role_name: str, name: str) -> IdentityPolicy:
    return IdentityPolicy(incident, Principal("role", role_name), name)


def _wide(incident: Incident[Scene]) -> str:
    return deny_document.policy_name(incident.case)


def _intended(
    incident: Incident[Scene], policy: str, state: JsonObject, moment: datetime
) -> Document:
    if policy == _wide(incident):
        return deny_document.sessions_before(deny_document.cut_off(moment))
    userid = deny_document.instance_sessions(state["role_id"], incident.target)
    if state["holds"]:
        return deny_document.everything(userid)
    return deny_document.sessions_before(deny_document.cut_off(moment), userid)


def _denied(incident: Incident[Scene], policy: str, state: JsonObject) -> bool:
    """Whether the policy denies what is wanted, or even the same without a cut-off."""
    enough = [_intended(incident, policy, state, incident.started)]
    if policy != _wide(incident):
        enough.append(
            deny_document.everything(
                deny_document.instance_sessions(state["role_id"], incident.target)
            )
        )
    found = (state["policy"] or {}).get("document")
    return any(deny_document.covers(found, document) for document in enough)


def _roles(incident: Incident[Scene]) -> dict[str, tuple[RoleTypeDef, bool]]:
    """Name to IAM's description of the roles that the instance has or had, and if it has it still.

    Skip when there is none; those that can't be changed are told, and left out.
    """
    profiles = _profiles(incident)
    found: dict[str, tuple[RoleTypeDef, bool]] = {}
    trouble: list[str] = []
    for arn, holds in profiles.items():
        try:
            for role in _of_profile(incident, arn):
                userid = deny_document.instance_sessions(role["RoleId"], incident.target)
                require_editable(role, deny_document.everything(userid))
                found[role["RoleName"]] = (role, holds)
        except Skip as skip:
            trouble.append(str(skip))
    if found or incident.known:
        for line in trouble:
            incident.risk(line)
    elif trouble:
        raise Skip("; ".join(trouble), incomplete=True)
    elif profiles:
        raise Skip(f"{', '.join(map(name_of, profiles))} has no role, so there are no sessions")
    else:
        raise Skip("the instance has no profile, so there are no sessions of its role")
    return found


def _profiles(incident: Incident[Scene]) -> dict[str, bool]:
    """ARN of each profile of the instance's own, to whether the instance has it now."""
    former = (incident.earlier.get(SwapProfile.name, {}).get(PROFILE) or {}).get("arn")
    association = associated(incident)
    now = str(association["IamInstanceProfile"]["Arn"]) if association else None
    profiles = {former: False, now: True}
    return {arn: holds for arn, holds in profiles.items() if arn and not is_isolated(arn)}


def _of_profile(incident: Incident[Scene], arn: str) -> list[RoleTypeDef]:
    try:
        answer = incident.client("iam").get_instance_profile(InstanceProfileName=name_of(arn))
    except Exception as error:
        if code_of(error) != "NoSuchEntity":
            raise
        raise Skip(
            f"the profile {arn} is gone, so its role is not known: revoke with `cordon role`"
        ) from error
    return list(answer["InstanceProfile"]["Roles"])


def _others(incident: Incident[Scene], role_name: str) -> str:
    """Whom a deny of all sessions of a role hits besides the instance."""
    try:
        hit = [*_instances(incident, role_name), *_trusted(incident, role_name)]
    except Exception as error:
        return f"to deny them hits others that are not known: {explain(error)}"
    return f"to deny them also hits {', '.join(hit) or 'nobody else'}"


def _instances(incident: Incident[Scene], role_name: str) -> list[str]:
    pages = (
        incident.client("iam")
        .get_paginator("list_instance_profiles_for_role")
        .paginate(RoleName=role_name)
    )
    arns = [str(p["Arn"]) for page in pages for p in page["InstanceProfiles"]]
    asked = {r: incident.aws.spawn(_in_region, incident, r, arns) for r in incident.aws.regions}
    return [f"{i} ({r})" for r, found in asked.items() for i in found.result()]


def _in_region(incident: Incident[Scene], region: str, arns: list[str]) -> list[str]:
    if not arns:
        return []
    pages = (
        incident.aws.client("ec2", region)
        .get_paginator("describe_instances")
        .paginate(Filters=[{"Name": "iam-instance-profile.arn", "Values": arns}])
    )
    found = (i for page in pages for r in page["Reservations"] for i in r["Instances"])
    return [str(i["InstanceId"]) for i in found if i["InstanceId"] != incident.target]


def _trusted(incident: Incident[Scene], role_name: str) -> list[str]:
    role = incident.client("iam").get_role(RoleName=role_name)["Role"]
    return [who for who in trusted(role, incident.account) if who not in EC2_SERVICES]
