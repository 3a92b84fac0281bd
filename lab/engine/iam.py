"""Roles, policies and instance profiles."""

from __future__ import annotations

from lab.engine.resource import Attributes, Change, Created, Held, Kind, New, exists, nothing


def _role(new: New) -> Created:
    role = new.client("iam").create_role(
        RoleName=new.name,
        AssumeRolePolicyDocument=new.inputs["assumeRolePolicy"],
        Tags=new.tags,
        **new.renamed(
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
        **new.renamed(path="Path", description="Description"),
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
        InstanceProfileName=new.name, Tags=new.tags, **new.renamed(path="Path")
    )["InstanceProfile"]
    if new.inputs.get("role"):
        iam.add_role_to_instance_profile(InstanceProfileName=new.name, RoleName=new.inputs["role"])
    attributes = {
        "arn": profile["Arn"],
        "name": new.name,
        "uniqueId": profile["InstanceProfileId"],
    }
    return new.name, attributes


def _tags(service_word: str, key: str) -> Change:
    """Makes the tags of a role, policy or profile those that are declared."""

    def change(held: Held) -> None:
        iam = held.client("iam")
        getattr(iam, f"tag_{service_word}")(**{key: held.id}, Tags=held.tags)
        if held.dropped_tags:
            getattr(iam, f"untag_{service_word}")(**{key: held.id}, TagKeys=held.dropped_tags)

    return change


def _put_trust(held: Held) -> None:
    held.client("iam").update_assume_role_policy(
        RoleName=held.id, PolicyDocument=held.inputs["assumeRolePolicy"]
    )


def _update_role(held: Held) -> None:
    names = held.renamed(description="Description", maxSessionDuration="MaxSessionDuration")
    held.client("iam").update_role(RoleName=held.id, **names)


def _put_boundary(held: Held) -> None:
    iam, boundary = held.client("iam"), held.inputs.get("permissionsBoundary")
    if boundary:
        iam.put_role_permissions_boundary(RoleName=held.id, PermissionsBoundary=boundary)
    else:
        iam.delete_role_permissions_boundary(RoleName=held.id)


def _put_version(held: Held) -> None:
    """The new text as the default version. IAM keeps five, so the oldest others make way."""
    iam = held.client("iam")
    _drop_old_versions(held)
    iam.create_policy_version(
        PolicyArn=held.id, PolicyDocument=held.inputs["policy"], SetAsDefault=True
    )


def _drop_old_versions(held: Held) -> None:
    iam = held.client("iam")
    for version in iam.list_policy_versions(PolicyArn=held.id)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=held.id, VersionId=version["VersionId"])


def _delete_policy(held: Held) -> None:
    _drop_old_versions(held)
    held.client("iam").delete_policy(PolicyArn=held.id)


def _is_attached(held: Held) -> bool:
    role, policy = held.inputs["role"], held.inputs["policyArn"]
    attached = held.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return any(other["PolicyArn"] == policy for other in attached)


def _empty_profile(held: Held) -> None:
    iam = held.client("iam")
    for role in iam.get_instance_profile(InstanceProfileName=held.id)["InstanceProfile"]["Roles"]:
        iam.remove_role_from_instance_profile(
            InstanceProfileName=held.id, RoleName=role["RoleName"]
        )


def _fill_profile(held: Held) -> None:
    _empty_profile(held)
    if held.inputs.get("role"):
        held.client("iam").add_role_to_instance_profile(
            InstanceProfileName=held.id, RoleName=held.inputs["role"]
        )


def _delete_profile(held: Held) -> None:
    _empty_profile(held)
    held.client("iam").delete_instance_profile(InstanceProfileName=held.id)


def _role_attributes(held: Held) -> Attributes:
    """The role's session length, if somebody changed it."""
    role = held.client("iam").get_role(RoleName=held.id)["Role"]
    declared = held.inputs.get("maxSessionDuration", 3600)
    actual = role.get("MaxSessionDuration", 3600)
    return {} if actual == declared else {"maxSessionDuration": actual}


ABSENT = ("NoSuchEntity", "NoSuchEntityException")

KINDS = {
    "aws:iam/role:Role": Kind(
        _role,
        _role_attributes,
        lambda held: held.client("iam").delete_role(RoleName=held.id),
        {
            "assumeRolePolicy": _put_trust,
            "description": _update_role,
            "maxSessionDuration": _update_role,
            "permissionsBoundary": _put_boundary,
            "forceDetachPolicies": nothing,
            "tags": _tags("role", "RoleName"),
        },
        ABSENT,
    ),
    "aws:iam/policy:Policy": Kind(
        _policy,
        exists(lambda held: held.client("iam").get_policy(PolicyArn=held.id)),
        _delete_policy,
        {"policy": _put_version, "tags": _tags("policy", "PolicyArn")},
        ABSENT,
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        _role_policy,
        exists(
            lambda held: held.client("iam").get_role_policy(
                RoleName=held.inputs["role"], PolicyName=held.outputs["name"]
            )
        ),
        lambda held: held.client("iam").delete_role_policy(
            RoleName=held.inputs["role"], PolicyName=held.outputs["name"]
        ),
        {
            "policy": lambda held: held.client("iam").put_role_policy(
                RoleName=held.inputs["role"],
                PolicyName=held.outputs["name"],
                PolicyDocument=held.inputs["policy"],
            )
        },
        ABSENT,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind(
        _attachment,
        exists(_is_attached),
        lambda held: held.client("iam").detach_role_policy(
            RoleName=held.inputs["role"], PolicyArn=held.inputs["policyArn"]
        ),
        absent=ABSENT,
    ),
    "aws:iam/instanceProfile:InstanceProfile": Kind(
        _profile,
        exists(lambda held: held.client("iam").get_instance_profile(InstanceProfileName=held.id)),
        _delete_profile,
        {"role": _fill_profile, "tags": _tags("instance_profile", "InstanceProfileName")},
        ABSENT,
    ),
}
