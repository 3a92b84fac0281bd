"""What the organization has: tag policies and guardrails, once, from its management account.

A delegated administrator of Organizations will do, unless `cordon:manageOrganization` is set.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from components import ec2_baseline, resource_controls
from components.ec2_baseline import Ec2Baseline, Ec2BaselineArgs
from components.guardrails import Guardrails, GuardrailsArgs, Scope
from components.guardrails import content as guardrail
from components.resource_controls import ResourceControls, ResourceControlsArgs
from components.tag_policies import TagPolicies, TagPoliciesArgs
from components.tag_policies import content as tag_policy
from stacks.config import Settings
from stacks.reading import BadConfig

TYPES = ("SERVICE_CONTROL_POLICY", "TAG_POLICY")


def organization(settings: Settings) -> dict[str, Any]:
    """Declares it; the exports `tagPolicy`, `guardrails` (ids by name) and what is optional.

    BadConfig before anything is registered: for a setting that does not fit the organization, and
    for a policy that would be longer than AWS takes.
    """
    policies, known = settings.organization, aws.organizations.get_organization()
    scope = Scope(
        aws.get_partition().partition, known.id, policies.provisioners, policies.guarded_people
    )
    _agree(settings, known, scope.partition)
    _sizes(settings, scope)
    after = [_managed(known, _types(settings))] if policies.manage else []
    tags = TagPolicies(
        "tags",
        TagPoliciesArgs(policies.tag_policy_targets, policies.tag_rules, settings.tags, after),
    )
    guards = Guardrails(
        "guardrails", GuardrailsArgs(scope, policies.guardrail_targets, settings.tags, after)
    )
    declared: dict[str, Any] = {"tagPolicy": tags.policy_id, "guardrails": guards.policy_ids}
    if targets := policies.resource_control_targets:
        declared["resourceControl"] = ResourceControls(
            "controls", ResourceControlsArgs(scope, targets, settings.tags, after)
        ).policy_id
    if targets := policies.ec2_baseline_targets:
        declared["ec2Baseline"] = Ec2Baseline(
            "ec2-baseline", Ec2BaselineArgs(targets, settings.tags, after)
        ).policy_id
    return declared


def _types(settings: Settings) -> list[str]:
    """The policy types that must be enabled for what is declared."""
    policies = settings.organization
    optional = {
        resource_controls.TYPE: policies.resource_control_targets,
        ec2_baseline.TYPE: policies.ec2_baseline_targets,
    }
    return [*TYPES, *(kind for kind, targets in optional.items() if targets)]


def _agree(
    settings: Settings, known: aws.organizations.GetOrganizationResult, partition: str
) -> None:
    policies = settings.organization
    if settings.organization_id and settings.organization_id != known.id:
        raise BadConfig(
            "cordon:organizationId", f"this account belongs to {known.id}; use its credentials"
        )
    if not known.roots:
        raise BadConfig(
            "cordon:stacks",
            "the organization's root can't be read from this account; use the management account "
            "or a delegated administrator of Organizations",
        )
    for setting, arns in (
        ("provisioners", policies.provisioners),
        ("guardedPeople", policies.guarded_people),
    ):
        for arn in arns:
            if arn.split(":")[1] != partition:
                raise BadConfig(f"cordon:{setting}", f"{arn} is not of the partition {partition}")
    missing = [kind for kind in _types(settings) if kind not in known.enabled_policy_types]
    if missing and not policies.manage:
        raise BadConfig(
            "cordon:manageOrganization",
            f"{missing[0]} is not enabled in {known.id}: enable it with `aws organizations "
            f"enable-policy-type --root-id {known.roots[0].id} --policy-type {missing[0]}`, or set "
            "this to true where this program is to manage the organization",
        )


def _sizes(settings: Settings, scope: Scope) -> None:
    try:
        tag_policy(settings.organization.tag_rules)
    except ValueError as error:
        raise BadConfig("cordon:tagRules", str(error)) from error
    try:
        guardrail("prepared", scope)
    except ValueError as error:
        longer = max(
            ("provisioners", scope.provisioners), ("guardedPeople", scope.people), key=_size
        )
        raise BadConfig(f"cordon:{longer[0]}", str(error)) from error


def _size(setting: tuple[str, tuple[str, ...]]) -> int:
    return sum(len(arn) for arn in setting[1])


def _managed(
    known: aws.organizations.GetOrganizationResult, types: list[str]
) -> aws.organizations.Organization:
    """The organization as it is, with our policy types enabled.

    What is enabled already is repeated, because what is left out would be switched off. It exists,
    so it has to be imported first (docs/guardrails.md); without that, creating it fails.
    """
    return aws.organizations.Organization(
        "organization",
        feature_set="ALL",
        aws_service_access_principals=sorted(known.aws_service_access_principals),
        enabled_policy_types=sorted({*known.enabled_policy_types, *types}),
        opts=pulumi.ResourceOptions(protect=True, retain_on_delete=True),
    )
