"""Whether an isolated profile still gives what it was made to give: nothing, or only the channel.

Its name is computed, but whoever administers the account can put another role behind the name, or
another policy on the role. Then no profile at all is safer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contract import CHANNEL_PROFILE, DARK_PROFILE, IAM_PATH
from responders.aws import Aws, code_of, explain
from responders.permissions import allow

PERMISSIONS = (
    allow(
        "iam:GetInstanceProfile",
        on="arn:{partition}:iam::{account}:instance-profile" + IAM_PATH + "*",
        because="sees which role is behind an isolated profile before it is given",
    ),
    allow(
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:GetRolePolicy",
        on="arn:{partition}:iam::{account}:role" + IAM_PATH + "*",
        because="sees what that role may do",
    ),
)
PROFILES = {"dark": DARK_PROFILE, "channel": CHANNEL_PROFILE}
CHANNEL = ("ssmmessages:", "ec2messages:", "ssm:UpdateInstanceInformation")
"""How the actions begin that the agent needs to be reached, and that touch nothing else."""
ABSENT = "no isolated profile is prepared"


def fault_of(aws: Aws, name: str) -> str:
    """Why a profile must not be given to anybody; empty when it is as prepared.

    `ABSENT` when there is none of this name. What can't be looked at is a fault too.
    """
    try:
        return next(_faults(aws, name), "")
    except Exception as error:
        if code_of(error) == "NoSuchEntity":
            return ABSENT
        return f"{name} could not be looked at: {explain(error)}"


def _faults(aws: Aws, name: str) -> Iterator[str]:
    iam = aws.client("iam")
    roles = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
    if [(role["RoleName"], role["Path"]) for role in roles] != [(name, IAM_PATH)]:
        held = ", ".join(role["Arn"] for role in roles) or "none"
        yield f"{name} has another role than its own: {held}"
        return
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents: list[Any] = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in inline
    ]
    statements = [s for document in documents for s in _list(document.get("Statement"))]
    if any(_denies_all(statement) for statement in statements):
        return  # nothing that anybody allows beside it counts (IAM user guide, "Policy evaluation")
    if attached := iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        yield f"{name} has policies attached: {', '.join(p['PolicyArn'] for p in attached)}"
    prefixes = CHANNEL if name == CHANNEL_PROFILE else ()
    for statement in statements:
        if statement.get("Effect") == "Allow" and not _only(statement, prefixes):
            yield f"{name} may do more than it was made for"


def _denies_all(statement: dict[str, Any]) -> bool:
    return (
        statement.get("Effect") == "Deny"
        and "*" in _list(statement.get("Action"))
        and "*" in _list(statement.get("Resource"))
        and not statement.get("Condition")
    )


def _only(statement: dict[str, Any], prefixes: tuple[str, ...]) -> bool:
    actions = _list(statement.get("Action"))
    return bool(actions) and all(str(action).startswith(prefixes) for action in actions)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
