"""The role that may lift the vault's locks. Always with MFA, one hour, and only if configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pulumi
import pulumi_aws as aws

from components.iam import Statement, document
from components.people import PeopleRole, people_role
from components.vault_policy import LOCKED_ACTIONS
from contract import BREAK_GLASS_ROLE, Purpose, kit_tags


@dataclass(frozen=True)
class BreakGlassRoleArgs:
    """MFA and the length of a session in `people` are overruled."""

    people: PeopleRole
    vault_bucket: str
    tags: Mapping[str, str] = field(default_factory=dict)


class BreakGlassRole(pulumi.ComponentResource):
    """Role and inline policy; `arn` is the role's, `policy` that document."""

    def __init__(
        self, name: str, args: BreakGlassRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:BreakGlassRole", name, {}, opts)
        role = people_role(
            name,
            BREAK_GLASS_ROLE,
            "Cordon: lifts locks of the evidence vault; every use is an incident of its own",
            replace(args.people, require_mfa=True, hours=1),
            kit_tags(Purpose.ROLE, args.tags),
            self,
        )
        self.policy = document([lift_locks(args)])
        aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            name=BREAK_GLASS_ROLE,
            policy=self.policy,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})


def lift_locks(args: BreakGlassRoleArgs) -> Statement:
    """What the vault's policy denies to all others, and what one needs to find the objects."""
    bucket = f"arn:{args.people.deployment.partition}:s3:::{args.vault_bucket}"
    return {
        "Effect": "Allow",
        "Action": sorted(
            (
                *LOCKED_ACTIONS,
                "s3:GetObjectLegalHold",
                "s3:GetObjectRetention",
                "s3:ListBucket",
                "s3:ListBucketVersions",
                "s3:PutObjectLegalHold",
                "s3:PutObjectRetention",
            )
        ),
        "Resource": [bucket, f"{bucket}/*"],
    }
