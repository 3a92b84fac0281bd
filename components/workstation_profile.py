"""The instance profile of a forensic workstation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.iam import Deployment, Statement, document
from components.service_roles import channel_statement, instance_trust, service_role
from contract import IAM_PATH, WORKSTATION_PROFILE, Purpose, kit_tags


@dataclass(frozen=True)
class WorkstationProfileArgs:
    """The vault that the workstation reads and writes; `boundary` may be empty."""

    deployment: Deployment
    vault_bucket: str
    vault_region: str
    vault_key_arn: pulumi.Input[str]
    boundary: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class WorkstationProfile(pulumi.ComponentResource):
    """Role and profile of the same name; `policy` is the document of the role's."""

    def __init__(
        self, name: str, args: WorkstationProfileArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:WorkstationProfile", name, {}, opts)
        tags = kit_tags(Purpose.WORKSTATION, args.tags)
        statements = pulumi.Output.from_input(args.vault_key_arn).apply(
            lambda arn: [channel_statement(), *examine(args, arn)]
        )
        self.policy = statements.apply(document)
        role = service_role(
            name,
            WORKSTATION_PROFILE,
            instance_trust(args.deployment),
            statements,
            tags,
            self,
            description="Cordon: a forensic workstation reads evidence and adds findings",
            boundary=args.boundary or None,
        )
        profile = aws.iam.InstanceProfile(
            f"{name}-profile",
            name=WORKSTATION_PROFILE,
            path=IAM_PATH,
            role=role.name,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.profile = profile.name
        self.register_outputs({"profile": self.profile})


def examine(args: WorkstationProfileArgs, key_arn: str) -> list[Statement]:
    """Reads cases and tools, adds evidence; can't delete, and the vault keeps every version."""
    bucket = f"arn:{args.deployment.partition}:s3:::{args.vault_bucket}"
    through = f"s3.{args.vault_region}.{args.deployment.dns_suffix}"
    return [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": [f"{bucket}/cases/*", f"{bucket}/tools/*"],
        },
        {
            "Effect": "Allow",
            "Action": ["s3:AbortMultipartUpload", "s3:PutObject"],
            "Resource": f"{bucket}/cases/*/evidence/*",
        },
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key_arn,
            "Condition": {"StringEquals": {"kms:ViaService": through}},
        },
    ]
