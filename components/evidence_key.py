"""The customer key that encrypts evidence in one region.

Snapshots under the AWS-managed key can't be shared with the account that examines them; those
under this key can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.iam import Deployment, Statement, document
from components.writers import Writers
from contract import IAM_PATH, KEY_ALIAS, LOG_GROUP_PATH, Purpose, kit_tags


@dataclass(frozen=True)
class EvidenceKeyArgs:
    """`forensic_account` examines evidence; empty for this account. `deletion_days`: 7 to 30.

    `writers` are those of the vault, in the vault's region. `topics`: EventBridge may use the key
    to publish to an encrypted topic. `shared`: the account's own volumes are encrypted with it too.
    """

    region: str
    deployment: Deployment
    forensic_account: str = ""
    writers: Writers = field(default_factory=Writers)
    topics: bool = False
    shared: bool = False
    deletion_days: int = 30
    tags: Mapping[str, str] = field(default_factory=dict)


class EvidenceKey(pulumi.ComponentResource):
    """Key and alias. `arn` is the key's, `policy` the document of its key policy.

    The key outlives the stack: evidence needs it.
    """

    def __init__(
        self, name: str, args: EvidenceKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:EvidenceKey", name, {"region": args.region}, opts)
        self.policy = document(key_policy(args))
        key = aws.kms.Key(
            f"{name}-key",
            region=args.region,
            description="Cordon: encrypts evidence",
            enable_key_rotation=True,
            deletion_window_in_days=args.deletion_days,
            policy=self.policy,
            tags=kit_tags(Purpose.EVIDENCE_KEY, args.tags),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        aws.kms.Alias(
            f"{name}-alias",
            region=args.region,
            name=KEY_ALIAS,
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def key_policy(args: EvidenceKeyArgs) -> list[Statement]:
    """Who may use the key: the account by its IAM policies, others through AWS services only."""
    deployment = args.deployment
    statements: list[Statement] = [
        {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": deployment.root()},
            "Action": "kms:*",
            "Resource": "*",
        },
        _logs(args),
    ]
    if args.forensic_account and args.forensic_account != deployment.account:
        statements += _forensic_account(args)
    if args.writers:
        statements.append(_writers(args))
    if args.topics:
        statements.append(_topics())
    if not args.shared:
        statements.append(_evidence_only(deployment))
    return statements


def _logs(args: EvidenceKeyArgs) -> Statement:
    """CloudWatch Logs encrypts the flow logs (its user guide, "Encrypt log data using KMS")."""
    deployment = args.deployment
    logs = f"arn:{deployment.partition}:logs:{args.region}:{deployment.account}"
    groups = f"{logs}:log-group:{LOG_GROUP_PATH}*"
    return {
        "Sid": "FlowLogs",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{args.region}.{deployment.dns_suffix}"},
        "Action": ["kms:Decrypt", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }


def _forensic_account(args: EvidenceKeyArgs) -> list[Statement]:
    principal = {"AWS": args.deployment.root(args.forensic_account)}
    ec2, ebs = (
        f"{service}.{args.region}.{args.deployment.dns_suffix}" for service in ("ec2", "ebs")
    )
    return [
        {
            "Sid": "ForensicUse",
            "Effect": "Allow",
            "Principal": principal,
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            "Resource": "*",
            # Volumes are read by EC2, blocks that are hashed by EBS.
            "Condition": {"StringEquals": {"kms:ViaService": [ec2, ebs]}},
        },
        {
            "Sid": "ForensicGrant",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {
                "Bool": {"kms:GrantIsForAWSResource": "true"},
                "StringEquals": {"kms:ViaService": ec2},
            },
        },
    ]


def _writers(args: EvidenceKeyArgs) -> Statement:
    """A part of a multipart upload is decrypted again, so writing needs `Decrypt` too."""
    through = {"kms:ViaService": f"s3.{args.region}.{args.deployment.dns_suffix}"}
    return {
        "Sid": "VaultWriters",
        "Effect": "Allow",
        "Principal": args.writers.principal(args.deployment),
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": args.writers.condition(args.deployment, through),
    }


def _evidence_only(deployment: Deployment) -> Statement:
    """Only the kit's roles, of this account or of the one that examines, let EC2 use the key.

    EC2 needs a grant from whoever copies a snapshot or uses a volume of it. AWS tells a policy on
    CopySnapshot no tags of the source, so that this is what guards it.
    """
    return {
        "Sid": "EvidenceOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {
            "ArnNotLike": {
                "aws:PrincipalArn": f"arn:{deployment.partition}:iam::*:role{IAM_PATH}*"
            },
            # Services themselves have no such ARN.
            "Null": {"aws:PrincipalArn": "false"},
        },
    }


def _topics() -> Statement:
    """No condition: EventBridge sends no context to SNS (its user guide, "Amazon SNS permissions").

    The key is only used for topics encrypted with it, and those admit who their policies admit.
    """
    return {
        "Sid": "WatchTopic",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
    }
