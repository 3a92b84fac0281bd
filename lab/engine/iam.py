"""Roles, policies and instance profiles."""

from __future__ import annotations

from lab.engine.resource import Created, New


def _role(new: New) -> Created:
    role = new.client("iam").create_role(
        RoleName=new.name,
        AssumeRolePolicyDocument=new.inputs["assumeRolePolicy"],
        Tags=new.tags,
        **new.some(
            path="Path",
            description="Description",
            maxSessionDuration="MaxSessionDuration",
            permissionsBoundary="PermissionsBoundary",
        ),
    )["Role"]
    return new.name, {"arn": role["Arn"], "name": new.name, "uniqueId": role["RoleId"]}


def _policy(new: New) -> Created:
    policy = new.client("iam").create_policy(
        PolicyName=new.name,
        PolicyDocument=new.inputs["policy"],
        Tags=new.tags,
        **new.some(path="Path", description="Description"),
    )["Policy"]
    attributes = {"arn": policy["Arn"], "name": new.name, "policyId": policy["PolicyId"]}
    return policy["Arn"], attributes


def _role_policy(new: New) -> Created:
    role = new.inputs["role"]
    new.client("iam").put_role_policy(
        RoleName=role, PolicyName=new.name, PolicyDocument=new.inputs["policy"]
    )
    return f"{role}:{new.name}", {"name": new.name}


def _attachment(new: New) -> Created:
    role, policy = new.inputs["role"], new.inputs["policyArn"]
    new.client("iam").attach_role_policy(RoleName=role, PolicyArn=policy)
    return f"{role}/{policy}", {}


def _profile(new: New) -> Created:
    iam = new.client("iam")
    profile = iam.create_instance_profile(
        InstanceProfileName=new.name, Tags=new.tags, **new.some(path="Path")
    )["InstanceProfile"]
    if new.inputs.get("role"):
        iam.add_role_to_instance_profile(InstanceProfileName=new.name, RoleName=new.inputs["role"])
    attributes = {
        "arn": profile["Arn"],
        "name": new.name,
        "uniqueId": profile["InstanceProfileId"],
    }
    return new.name, attributes


CREATE = {
    "aws:iam/role:Role": _role,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
    "aws:iam/instanceProfile:InstanceProfile": _profile,
}
