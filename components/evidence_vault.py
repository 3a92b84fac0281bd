"""The evidence vault: a bucket that keeps what it receives.

Nothing here is ever deleted by Pulumi: `protect` makes `pulumi destroy` refuse, and where somebody
lifts that, `retain_on_delete` leaves the bucket as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.access_logs import PREFIX, AccessLogs, AccessLogsArgs
from components.bucket import BucketArgs, private_bucket
from components.iam import Deployment, document
from components.vault_policy import vault_policy
from components.writers import Writers
from contract import BREAK_GLASS_ROLE, IAM_PATH, Purpose, kit_tags


@dataclass(frozen=True)
class EvidenceVaultArgs:
    """`mode` is `governance` or `compliance`; `days` each object stays locked, from 1.

    `log_days`: how long access logs are kept.
    """

    region: str
    deployment: Deployment
    bucket: str
    log_bucket: str
    key_arn: pulumi.Input[str]
    mode: str = "governance"
    days: int = 365
    log_days: int = 400
    writers: Writers = field(default_factory=Writers)
    tags: Mapping[str, str] = field(default_factory=dict)


class EvidenceVault(pulumi.ComponentResource):
    """Bucket, lock, encryption, logs, lifecycle, policy.

    `bucket` is its name, `arn` its ARN, `policy` the document of its bucket policy.
    """

    def __init__(
        self, name: str, args: EvidenceVaultArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:EvidenceVault", name, {"bucket": args.bucket}, opts)
        options = pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True)
        tags = kit_tags(Purpose.VAULT, args.tags)
        vault = private_bucket(
            name, BucketArgs(args.region, args.bucket, tags, True, args.key_arn), options
        )
        lock = _lock(name, args, vault.bucket, vault.settings, options)
        settings = (*vault.settings, lock, *_upkeep(name, args, vault.bucket, options))
        self.policy = pulumi.Output.all(vault.bucket.arn, args.key_arn).apply(
            lambda arns: _policy(args, arns[0], arns[1])
        )
        aws.s3.BucketPolicy(
            f"{name}-policy",
            region=args.region,
            bucket=vault.bucket.bucket,
            policy=self.policy,
            # Last, because it denies what setting up the bucket does.
            opts=pulumi.ResourceOptions.merge(
                options, pulumi.ResourceOptions(depends_on=list(settings))
            ),
        )
        self.bucket, self.arn = vault.bucket.bucket, vault.bucket.arn
        self.register_outputs({"bucket": self.bucket, "arn": self.arn})


def _lock(
    name: str,
    args: EvidenceVaultArgs,
    bucket: aws.s3.Bucket,
    settings: tuple[pulumi.Resource, ...],
    options: pulumi.ResourceOptions,
) -> pulumi.Resource:
    """Object Lock needs versioning, so it waits for the settings."""
    retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
        mode=args.mode.upper(), days=args.days
    )
    return aws.s3.BucketObjectLockConfiguration(
        f"{name}-lock",
        region=args.region,
        bucket=bucket.bucket,
        object_lock_enabled="Enabled",
        rule=aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention),
        opts=pulumi.ResourceOptions.merge(
            options, pulumi.ResourceOptions(depends_on=list(settings))
        ),
    )


def _upkeep(
    name: str, args: EvidenceVaultArgs, bucket: aws.s3.Bucket, options: pulumi.ResourceOptions
) -> tuple[pulumi.Resource, ...]:
    """Access logs, and a lifecycle for `tools/` only: evidence is never expired."""
    logs = AccessLogs(
        f"{name}-logs",
        AccessLogsArgs(
            args.region, args.deployment, args.log_bucket, args.bucket, args.log_days, args.tags
        ),
        opts=pulumi.ResourceOptions(parent=options.parent),
    )
    lifecycle = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="old-tools",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="tools/"),
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=90
            )
        ),
        abort_incomplete_multipart_upload=(
            aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=7
            )
        ),
    )
    return (
        aws.s3.BucketLogging(
            f"{name}-logging",
            region=args.region,
            bucket=bucket.bucket,
            target_bucket=logs.bucket,
            target_prefix=PREFIX,
            opts=options,
        ),
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            region=args.region,
            bucket=bucket.bucket,
            rules=[lifecycle],
            opts=options,
        ),
    )


def _policy(args: EvidenceVaultArgs, bucket_arn: str, key_arn: str) -> str:
    return document(
        vault_policy(
            args.deployment,
            bucket_arn,
            key_arn,
            break_glass=args.deployment.role(f"{IAM_PATH}{BREAK_GLASS_ROLE}"),
            retention_days=args.days,
            writers=args.writers,
        )
    )
