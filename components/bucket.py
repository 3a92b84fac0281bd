"""What the vault and its log bucket have in common: private, owned, versioned, encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class BucketArgs:
    """`key_arn` None: encrypted with S3's own key."""

    region: str
    bucket: str
    tags: Mapping[str, str]
    object_lock: bool = False
    key_arn: pulumi.Input[str] | None = None


@dataclass(frozen=True)
class PrivateBucket:
    """A bucket and what must stand before its policy does."""

    bucket: aws.s3.Bucket
    settings: tuple[pulumi.Resource, ...]


def private_bucket(name: str, args: BucketArgs, opts: pulumi.ResourceOptions) -> PrivateBucket:
    """Declares the bucket and its settings, all with the same options."""
    bucket = aws.s3.Bucket(
        f"{name}-bucket",
        region=args.region,
        bucket=args.bucket,
        object_lock_enabled=args.object_lock,
        force_destroy=False,
        tags=args.tags,
        opts=opts,
    )
    settings = (
        aws.s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            region=args.region,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=opts,
        ),
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            region=args.region,
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=opts,
        ),
        aws.s3.BucketVersioning(
            f"{name}-versioning",
            region=args.region,
            bucket=bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            opts=opts,
        ),
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            region=args.region,
            bucket=bucket.bucket,
            rules=[_encryption(args.key_arn)],
            opts=opts,
        ),
    )
    return PrivateBucket(bucket, settings)


def _encryption(
    key_arn: pulumi.Input[str] | None,
) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgs:
    default = (
        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms" if key_arn else "AES256", kms_master_key_id=key_arn
        )
    )
    return aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=default,
        # Fewer calls to KMS; S3 has no bucket keys with its own key.
        bucket_key_enabled=True if key_arn else None,
    )
