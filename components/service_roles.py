"""Roles that AWS services and instances assume, not people: small, fixed, bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.iam import Deployment, Statement, document, service_trust
from contract import IAM_PATH

SSM_CHANNEL = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
)
"""What the agent needs to be reachable, and no more: no parameters, no S3, no logs
(Systems Manager user guide, "Add permissions for Session Manager")."""


def channel_statement() -> Statement:
    """The agent's calls; they name no resource."""
    return {"Effect": "Allow", "Action": list(SSM_CHANNEL), "Resource": "*"}


def service_role(
    name: str,
    role: str,
    trust: str,
    statements: Sequence[Statement] | pulumi.Output[Sequence[Statement]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
    *,
    description: str,
    boundary: pulumi.Input[str] | None = None,
) -> aws.iam.Role:
    """Declares a role under the kit's path with one inline policy, as `<name>-role`."""
    child = pulumi.ResourceOptions(parent=parent)
    declared = aws.iam.Role(
        f"{name}-role",
        name=role,
        path=IAM_PATH,
        description=description,
        assume_role_policy=trust,
        permissions_boundary=boundary,
        tags=tags,
        opts=child,
    )
    aws.iam.RolePolicy(
        f"{name}-policy",
        role=declared.name,
        name=role,
        policy=pulumi.Output.from_input(statements).apply(document),
        opts=child,
    )
    return declared


def instance_trust(deployment: Deployment) -> str:
    """Trust policy for EC2 instances."""
    return service_trust(f"ec2.{deployment.dns_suffix}")
