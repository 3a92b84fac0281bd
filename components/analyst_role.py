"""The role that reads evidence, and can do no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.iam import Deployment, Statement, document
from components.people import PeopleRole, people_role
from contract import ANALYST_ROLE, TAG_KIT, TAG_PURPOSE, Purpose, kit_tags


@dataclass(frozen=True)
class AnalystRoleArgs:
    """The vault's bucket, region and key; the role is of the account that holds them."""

    people: PeopleRole
    vault_bucket: str
    vault_region: str
    vault_key_arn: pulumi.Input[str]
    tags: Mapping[str, str] = field(default_factory=dict)


class AnalystRole(pulumi.ComponentResource):
    """Role and inline policy; `arn` is the role's, `policy` that document."""

    def __init__(
        self, name: str, args: AnalystRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:AnalystRole", name, {}, opts)
        tags = kit_tags(Purpose.ROLE, args.tags)
        role = people_role(name, ANALYST_ROLE, "Cordon: reads evidence", args.people, tags, self)
        self.policy = pulumi.Output.from_input(args.vault_key_arn).apply(
            lambda arn: document(read_evidence(args, arn))
        )
        aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            name=ANALYST_ROLE,
            policy=self.policy,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})


def read_evidence(args: AnalystRoleArgs, key_arn: str) -> list[Statement]:
    """Lists the vault, reads any version of a case's objects with their locks, through S3 only."""
    deployment = args.people.deployment
    bucket = f"arn:{deployment.partition}:s3:::{args.vault_bucket}"
    return [
        *enter_workstations(deployment),
        {
            "Effect": "Allow",
            "Action": [
                "s3:GetBucketLocation",
                "s3:GetBucketObjectLockConfiguration",
                "s3:GetBucketVersioning",
                "s3:ListBucket",
                "s3:ListBucketVersions",
            ],
            "Resource": bucket,
        },
        {
            "Effect": "Allow",
            "Action": [
                "s3:GetObject",
                "s3:GetObjectAttributes",
                "s3:GetObjectLegalHold",
                "s3:GetObjectRetention",
                "s3:GetObjectVersion",
                "s3:GetObjectVersionAttributes",
            ],
            "Resource": f"{bucket}/cases/*",
        },
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key_arn,
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": f"s3.{args.vault_region}.{deployment.dns_suffix}"
                }
            },
        },
    ]


def enter_workstations(deployment: Deployment) -> list[Statement]:
    """Sessions on workstations of the kit and on no other machine; one's own sessions only."""
    ssm = f"arn:{deployment.partition}:ssm:*:{deployment.account}"
    return [
        {
            "Effect": "Allow",
            "Action": "ssm:StartSession",
            "Resource": f"arn:{deployment.partition}:ec2:*:{deployment.account}:instance/*",
            "Condition": {
                "StringEquals": {f"aws:ResourceTag/{TAG_PURPOSE}": Purpose.WORKSTATION.value},
                # Only the kit sets it, where the guardrails are in force.
                "Null": {f"aws:ResourceTag/{TAG_KIT}": "false"},
            },
        },
        {
            "Effect": "Allow",
            "Action": "ssm:StartSession",
            "Resource": f"{ssm}:document/SSM-SessionManagerRunShell",
        },
        {
            "Effect": "Allow",
            "Action": ["ssm:ResumeSession", "ssm:TerminateSession"],
            "Resource": f"{ssm}:session/${{aws:userid}}-*",
        },
    ]
