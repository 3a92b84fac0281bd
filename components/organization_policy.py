"""One policy of the organization and where it is attached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class OrganizationPolicyArgs:
    """`type` as Organizations names it; no `targets`: made and left detached.

    `after`: what enables the type, where the program does (a component's own `depends_on` does not
    reach its children).
    """

    name: str
    type: str
    description: str
    content: str
    targets: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[pulumi.Resource] = ()


def organization_policy(
    name: str, args: OrganizationPolicyArgs, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Declares them under `parent`; the policy's id."""
    policy = aws.organizations.Policy(
        name,
        name=args.name,
        type=args.type,
        description=args.description,
        content=args.content,
        tags=args.tags,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(args.after)),
    )
    for target in args.targets:
        aws.organizations.PolicyAttachment(
            f"{name}-{target}",
            policy_id=policy.id,
            target_id=target,
            opts=pulumi.ResourceOptions(parent=parent),
        )
    return policy.id
