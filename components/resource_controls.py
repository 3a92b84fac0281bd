"""A resource control policy: nobody outside the organization reaches the vault, keys or roles.

Guardrails bind the organization's own principals. This binds everybody at the resource's side,
whatever a bucket policy, key policy or trust would let in (Organizations user guide, "Resource
control policies"). AWS services come in as before: they deliver access logs and events. It does not
bind the management account's resources.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.guardrails import Scope
from components.iam import Statement
from components.organization_policy import OrganizationPolicyArgs, organization_policy
from contract import (
    IAM_PATH,
    RCP_LIMIT,
    TAG_KIT,
    VAULT_LOGS_PREFIX,
    VAULT_PREFIX,
    Purpose,
    kit_tags,
)

TYPE = "RESOURCE_CONTROL_POLICY"


@dataclass(frozen=True)
class ResourceControlsArgs:
    """`targets`: roots, organizational units and accounts, by id. `after`: what has to be first."""

    scope: Scope
    targets: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[pulumi.Resource] = ()


class ResourceControls(pulumi.ComponentResource):
    """The policy, attached to the targets. `policy_id` is its id."""

    def __init__(
        self, name: str, args: ResourceControlsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            "cordon:components:ResourceControls", name, {"targets": list(args.targets)}, opts
        )
        self.policy_id = organization_policy(
            f"{name}-outsiders",
            OrganizationPolicyArgs(
                name="cordon-outsiders",
                type=TYPE,
                description="Cordon: keeps other organizations from evidence, keys and roles",
                content=content(args.scope),
                targets=args.targets,
                tags=kit_tags(Purpose.GUARDRAIL, args.tags),
                after=args.after,
            ),
            self,
        )
        self.register_outputs({"policyId": self.policy_id})


def outsiders(scope: Scope) -> list[Statement]:
    """Denies what is the kit's to principals of no organization or of another one."""
    # `IfExists`: an anonymous caller has no organization, and is denied as well.
    foreign = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": scope.organization},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    buckets = [scope.arn("s3", f"{prefix}*") for prefix in (VAULT_PREFIX, VAULT_LOGS_PREFIX)]
    tagged = {**foreign, "Null": {f"aws:ResourceTag/{TAG_KIT}": "false"}}
    return [
        _deny("Vault", "s3:*", buckets, foreign),
        _deny("Keys", "kms:*", "*", tagged),
        _deny("Roles", "sts:AssumeRole", scope.arn("iam", f"role{IAM_PATH}*"), foreign),
        _deny("Watch", "sqs:*", scope.arn("sqs", "cordon-*"), foreign),
    ]


def content(scope: Scope) -> str:
    """The policy's JSON. ValueError when it is longer than Organizations takes."""
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": outsiders(scope)}, separators=(",", ":")
    )
    if len(text) > RCP_LIMIT:
        raise ValueError(
            f"the resource control policy has {len(text)} characters, over {RCP_LIMIT}"
        )
    return text


def _deny(
    sid: str, action: str, resource: str | list[str], condition: Mapping[str, Mapping[str, str]]
) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {operator: dict(keys) for operator, keys in condition.items()},
    }
