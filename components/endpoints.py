"""The endpoints of a forensic VPC: its only ways out, and most of what it costs while idle."""

from __future__ import annotations

from enum import StrEnum

from components.iam import Deployment, Statement


class Tier(StrEnum):
    """How ready a forensic VPC stands. Interface endpoints are what costs money when idle."""

    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


SERVICES: dict[Tier, tuple[str, ...]] = {
    Tier.COLD: (),
    Tier.WARM: ("ssm", "ssmmessages"),
    Tier.HOT: ("ssm", "ssmmessages", "ec2messages", "kms", "logs"),
}
"""`ssm` and `ssmmessages` let people in; `ec2messages` is for old agents."""
OPTIONAL = frozenset({"ec2messages"})
"""Services that a region may lack: those launched since 2024 have no `ec2messages` (Systems Manager
user guide, "Reference: ec2messages, ssmmessages, and other API operations")."""


def service_name(region: str, service: str) -> str:
    """Name of an endpoint service. Those used here begin so in `aws`, `aws-cn`, `aws-us-gov`."""
    return f"com.amazonaws.{region}.{service}"


def s3_policy(deployment: Deployment, vault_bucket: str, organization: str) -> list[Statement]:
    """What may leave through S3: to the vault, and to buckets of the organization if one is set."""
    vault = f"arn:{deployment.partition}:s3:::{vault_bucket}"
    statements = [_allow("Vault", "s3:*", [vault, f"{vault}/*"], {})]
    if organization:
        own = {"StringEquals": {"aws:ResourceOrgID": organization}}
        statements.append(_allow("Organization", "s3:*", "*", own))
    return statements


def interface_policy(deployment: Deployment) -> list[Statement]:
    """Only with credentials of this account: stolen or planted ones of others don't get out."""
    own = {"StringEquals": {"aws:PrincipalAccount": deployment.account}}
    return [_allow("OwnAccount", "*", "*", own)]


def _allow(
    sid: str, action: str, resource: str | list[str], condition: dict[str, dict[str, str]]
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
    }
    return {**statement, "Condition": condition} if condition else statement
