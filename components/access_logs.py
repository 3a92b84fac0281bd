"""The bucket that receives the vault's access logs.

Its own bucket because a bucket that locks what it receives can't be a log target, and encrypted
with S3's key because log delivery supports no other (S3 user guide, "Enabling server access
logging").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.bucket import BucketArgs, private_bucket
from components.iam import Deployment, Statement, document
from contract import Purpose, kit_tags

PREFIX = "vault/"


@dataclass(frozen=True)
class AccessLogsArgs:
    """`source_bucket` is the name of the bucket whose logs are received."""

    region: str
    deployment: Deployment
    bucket: str
    source_bucket: str
    days: int = 400
    tags: Mapping[str, str] = field(default_factory=dict)


class AccessLogs(pulumi.ComponentResource):
    """A log bucket; `bucket` is its name. Logs go away after `days`."""

    def __init__(
        self, name: str, args: AccessLogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:AccessLogs", name, {"bucket": args.bucket}, opts)
        options = pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True)
        tags = kit_tags(Purpose.VAULT_LOGS, args.tags)
        logs = private_bucket(name, BucketArgs(args.region, args.bucket, tags), options)
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            region=args.region,
            bucket=logs.bucket.bucket,
            rules=[_expiry(args.days)],
            opts=options,
        )
        policy = aws.s3.BucketPolicy(
            f"{name}-policy",
            region=args.region,
            bucket=logs.bucket.bucket,
            policy=document(_policy(args)),
            opts=pulumi.ResourceOptions.merge(
                options, pulumi.ResourceOptions(depends_on=list(logs.settings))
            ),
        )
        # Delivery needs the policy, so whoever points logs here waits for it.
        self.bucket = pulumi.Output.all(logs.bucket.bucket, policy.id).apply(
            lambda values: values[0]
        )
        self.register_outputs({"bucket": self.bucket})


def _expiry(days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="expire-logs",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=30
            )
        ),
        abort_incomplete_multipart_upload=(
            aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=7
            )
        ),
    )


def _policy(args: AccessLogsArgs) -> list[Statement]:
    arn = f"arn:{args.deployment.partition}:s3:::{args.bucket}"
    source = f"arn:{args.deployment.partition}:s3:::{args.source_bucket}"
    return [
        {
            "Sid": "PlainHttp",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "LogDelivery",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{arn}/{PREFIX}*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": source},
                "StringEquals": {"aws:SourceAccount": args.deployment.account},
            },
        },
    ]
