"""Roles, policies and instance profiles."""

from __future__ import annotations

from lab.engine.resource import Attributes, Change, Created, Existing, Kind, New, exists, nothing


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

    def change(existing: Existing) -> None:
        iam = existing.client("iam")
        getattr(iam, f"tag_{service_word}")(**{key: existing.id}, Tags=existing.tags)
        if existing.dropped_tags:
            getattr(iam, f"untag_{service_word}")(
                **{key: existing.id}, TagKeys=existing.dropped_tags
            )

    return change


def _put_trust(existing: Existing) -> None:
    existing.client("iam").update_assume_role_policy(
        RoleName=existing.id, PolicyDocument=existing.inputs["assumeRolePolicy"]
    )


def _update_role(existing: Existing) -> None:
    names = existing.renamed(description="Description", maxSessionDuration="MaxSessionDuration")
    existing.client("iam").update_role(RoleName=existing.id, **names)


def _put_boundary(existing: Existing) -> None:
    iam, boundary = existing.client("iam"), existing.inputs.get("permissionsBoundary")
    if boundary:
        iam.put_role_permissions_boundary(RoleName=existing.id, PermissionsBoundary=boundary)
    else:
        iam.delete_role_permissions_boundary(RoleName=existing.id)


def _put_version(existing: Existing) -> None:
    """The new text as the default version. IAM keeps five, so the oldest others make way."""
    iam = existing.client("iam")
    _drop_old_versions(existing)
    iam.create_policy_version(
        PolicyArn=existing.id, PolicyDocument=existing.inputs["policy"], SetAsDefault=True
    )


def _drop_old_versions(existing: Existing) -> None:
    iam = existing.client("iam")
    for version in iam.list_policy_versions(PolicyArn=existing.id)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=existing.id, VersionId=version["VersionId"])


def _delete_policy(existing: Existing) -> None:
    _drop_old_versions(existing)
    existing.client("iam").delete_policy(PolicyArn=existing.id)


def _is_attached(existing: Existing) -> bool:
    role, policy = existing.inputs["role"], existing.inputs["policyArn"]
    attached = existing.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return any(other["PolicyArn"] == policy for other in attached)


def _empty_profile(existing: Existing) -> None:
    iam = existing.client("iam")
    for role in iam.get_instance_profile(InstanceProfileName=existing.id)["InstanceProfile"][
        "Roles"
    ]:
        iam.remove_role_from_instance_profile(
            InstanceProfileName=existing.id, RoleName=role["RoleName"]
        )


def _fill_profile(existing: Existing) -> None:
    _empty_profile(existing)
    if existing.inputs.get("role"):
        existing.client("iam").add_role_to_instance_profile(
            InstanceProfileName=existing.id, RoleName=existing.inputs["role"]
        )


def _delete_profile(existing: Existing) -> None:
    _empty_profile(existing)
    existing.client("iam").delete_instance_profile(InstanceProfileName=existing.id)


def _role_attributes(existing: Existing) -> Attributes:
    """The role's session length, if somebody changed it."""
    role = existing.client("iam").get_role(RoleName=existing.id)["Role"]
    declared = existing.inputs.get("maxSessionDuration", 3600)
    actual = role.get("MaxSessionDuration", 3600)
    return {} if actual == declared else {"maxSessionDuration": actual}


ABSENT = ("NoSuchEntity", "NoSuchEntityException")

KINDS = {
    "aws:iam/role:Role": Kind(
        _role,
        _role_attributes,
        lambda existing: existing.client("iam").delete_role(RoleName=existing.id),
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
        exists(lambda existing: existing.client("iam").get_policy(PolicyArn=existing.id)),
        _delete_policy,
        {"policy": _put_version, "tags": _tags("policy", "PolicyArn")},
        ABSENT,
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        _role_policy,
        exists(
            lambda existing: existing.client("iam").get_role_policy(
                RoleName=existing.inputs["role"], PolicyName=existing.outputs["name"]
            )
        ),
        lambda existing: existing.client("iam").delete_role_policy(
            RoleName=existing.inputs["role"], PolicyName=existing.outputs["name"]
        ),
        {
            "policy": lambda existing: existing.client("iam").put_role_policy(
                RoleName=existing.inputs["role"],
                PolicyName=existing.outputs["name"],
                PolicyDocument=existing.inputs["policy"],
            )
        },
        ABSENT,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind(
        _attachment,
        exists(_is_attached),
        lambda existing: existing.client("iam").detach_role_policy(
            RoleName=existing.inputs["role"], PolicyArn=existing.inputs["policyArn"]
        ),
        absent=ABSENT,
    ),
    "aws:iam/instanceProfile:InstanceProfile": Kind(
        _profile,
        exists(
            lambda existing: existing.client("iam").get_instance_profile(
                InstanceProfileName=existing.id
            )
        ),
        _delete_profile,
        {"role": _fill_profile, "tags": _tags("instance_profile", "InstanceProfileName")},
        ABSENT,
    ),
}
