"""An organization and its policies."""

from __future__ import annotations

from lab.engine.resource import Created, Existing, Kind, New, exists, nothing


def _organization(new: New) -> Created:
    client = new.client("organizations")
    try:
        described = client.describe_organization()[
            "Organization"
        ]  # as `pulumi import` would have it
    except client.exceptions.AWSOrganizationsNotInUseException:
        features = new.inputs.get("featureSet", "ALL")
        described = client.create_organization(FeatureSet=features)["Organization"]
    root = client.list_roots()["Roots"][0]
    enabled = {kind["Type"] for kind in root["PolicyTypes"]}
    for kind in new.inputs.get("enabledPolicyTypes") or ():
        if kind not in enabled:
            client.enable_policy_type(RootId=root["Id"], PolicyType=kind)
    for service in new.inputs.get("awsServiceAccessPrincipals") or ():
        client.enable_aws_service_access(ServicePrincipal=service)
    roots = client.list_roots()["Roots"]
    return described["Id"], {
        "arn": described["Arn"],
        "masterAccountId": described["MasterAccountId"],
        "roots": [{"id": r["Id"], "arn": r["Arn"], "name": r["Name"]} for r in roots],
    }


def _policy(new: New) -> Created:
    summary = new.client("organizations").create_policy(
        Name=new.name,
        Content=new.inputs["content"],
        Description=new.inputs.get("description", ""),
        Type=new.inputs.get("type", "SERVICE_CONTROL_POLICY"),
        Tags=new.tags,
    )["Policy"]["PolicySummary"]
    return summary["Id"], {"arn": summary["Arn"], "name": new.name}


def _attachment(new: New) -> Created:
    policy, target = new.inputs["policyId"], new.inputs["targetId"]
    new.client("organizations").attach_policy(PolicyId=policy, TargetId=target)
    return f"{target}:{policy}", {}


def _update_policy(existing: Existing) -> None:
    existing.client("organizations").update_policy(
        PolicyId=existing.id,
        Content=existing.inputs["content"],
        Description=existing.inputs.get("description", ""),
    )


def _tags(existing: Existing) -> None:
    client = existing.client("organizations")
    client.tag_resource(ResourceId=existing.id, Tags=existing.tags)
    if existing.dropped_tags:
        client.untag_resource(ResourceId=existing.id, TagKeys=existing.dropped_tags)


def _is_attached(existing: Existing) -> bool:
    policy, target = existing.inputs["policyId"], existing.inputs["targetId"]
    targets = existing.client("organizations").list_targets_for_policy(PolicyId=policy)["Targets"]
    return any(attached["TargetId"] == target for attached in targets)


KINDS = {
    "aws:organizations/organization:Organization": Kind(
        _organization,
        exists(lambda existing: existing.client("organizations").describe_organization()),
        nothing,  # it is protected and retained: nobody deletes an organization by a stack
        {"enabledPolicyTypes": _organization, "awsServiceAccessPrincipals": _organization},
        absent=["AWSOrganizationsNotInUseException"],
    ),
    "aws:organizations/policy:Policy": Kind(
        _policy,
        exists(
            lambda existing: existing.client("organizations").describe_policy(PolicyId=existing.id)
        ),
        lambda existing: existing.client("organizations").delete_policy(PolicyId=existing.id),
        {"content": _update_policy, "description": _update_policy, "tags": _tags},
        absent=["PolicyNotFoundException"],
    ),
    "aws:organizations/policyAttachment:PolicyAttachment": Kind(
        _attachment,
        exists(_is_attached),
        lambda existing: existing.client("organizations").detach_policy(
            PolicyId=existing.inputs["policyId"], TargetId=existing.inputs["targetId"]
        ),
        absent=["PolicyNotFoundException", "PolicyNotAttachedException", "TargetNotFoundException"],
    ),
}
