"""An organization and its policies."""

from __future__ import annotations

from lab.engine.resource import Created, New


def _organization(new: New) -> Created:
    client = new.client("organizations")
    try:
        made = client.describe_organization()["Organization"]  # as `pulumi import` would have it
    except client.exceptions.AWSOrganizationsNotInUseException:
        features = new.inputs.get("featureSet", "ALL")
        made = client.create_organization(FeatureSet=features)["Organization"]
    root = client.list_roots()["Roots"][0]
    enabled = {kind["Type"] for kind in root["PolicyTypes"]}
    for kind in new.inputs.get("enabledPolicyTypes") or ():
        if kind not in enabled:
            client.enable_policy_type(RootId=root["Id"], PolicyType=kind)
    for service in new.inputs.get("awsServiceAccessPrincipals") or ():
        client.enable_aws_service_access(ServicePrincipal=service)
    roots = client.list_roots()["Roots"]
    return made["Id"], {
        "arn": made["Arn"],
        "masterAccountId": made["MasterAccountId"],
        "roots": [{"id": r["Id"], "arn": r["Arn"], "name": r["Name"]} for r in roots],
    }


def _policy(new: New) -> Created:
    made = new.client("organizations").create_policy(
        Name=new.name,
        Content=new.inputs["content"],
        Description=new.inputs.get("description", ""),
        Type=new.inputs.get("type", "SERVICE_CONTROL_POLICY"),
        Tags=new.tags,
    )["Policy"]["PolicySummary"]
    return made["Id"], {"arn": made["Arn"], "name": new.name}


def _attachment(new: New) -> Created:
    policy, target = new.inputs["policyId"], new.inputs["targetId"]
    new.client("organizations").attach_policy(PolicyId=policy, TargetId=target)
    return f"{target}:{policy}", {}


CREATE = {
    "aws:organizations/organization:Organization": _organization,
    "aws:organizations/policy:Policy": _policy,
    "aws:organizations/policyAttachment:PolicyAttachment": _attachment,
}
