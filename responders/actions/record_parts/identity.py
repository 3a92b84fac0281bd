"""What the instance may do: its profile, the profile's roles, and their policies."""

from __future__ import annotations

from responders.action import Incident
from responders.actions.record_parts.part import Absent, Part, as_json
from responders.aws import code_of
from responders.identity.policies import policies_of
from responders.permissions import allow
from responders.scene import Scene

PERMISSIONS = (
    allow(
        "iam:GetInstanceProfile",
        on="arn:{partition}:iam::{account}:instance-profile/*",
        because="finds the role behind the instance's profile: their names may differ",
    ),
    allow(
        "iam:GetRole",
        "iam:ListRolePolicies",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        on="arn:{partition}:iam::{account}:role/*",
        because="saves what the instance's role may do",
    ),
    allow(
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        on="arn:{partition}:iam::*:policy/*",
        because="saves what the managed policies of the instance's role allow",
    ),
)


def _profile(incident: Incident[Scene]) -> bytes:
    attached = incident.subject.instance.get("IamInstanceProfile")
    if not attached:
        raise Absent("it has no instance profile")
    client = incident.client("iam")
    name = str(attached["Arn"]).rsplit("/", 1)[-1]
    try:
        profile = client.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    except Exception as error:
        if code_of(error) != "NoSuchEntity":
            raise
        raise Absent(f"the profile {attached['Arn']} was deleted") from error
    roles = [
        {
            "Role": client.get_role(RoleName=role["RoleName"])["Role"],
            "Policies": policies_of(client, "role", role["RoleName"]),
        }
        for role in profile["Roles"]
    ]
    return as_json({"InstanceProfile": profile, "Roles": roles})


PARTS: dict[str, Part] = {"profile.json": _profile}
