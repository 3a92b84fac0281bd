"""The bucket policy of the evidence vault.

It denies plain HTTP, signatures of version 2, another key than the vault's, and every deletion or
loosening of locks to all but the break-glass role. A missing checksum needs no
statement, and has no condition key: S3 itself refuses an upload without one where the bucket locks
what it receives (S3 user guide, "Configuring Object Lock": `Content-MD5` or a checksum header).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.iam import Deployment, Statement
from components.writers import Writers

LOCKED_ACTIONS = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketVersioning",
)
"""What nobody but break-glass may do. `PutObjectRetention` and `PutObjectLegalHold` are not here:
an upload with its own lock needs them; only their loosening forms are denied, below."""


def vault_policy(
    deployment: Deployment,
    bucket_arn: str,
    key_arn: str,
    *,
    break_glass: str,
    retention_days: int,
    writers: Writers,
) -> list[Statement]:
    """The statements; `break_glass` is that role's ARN, whether or not the role exists."""
    objects = f"{bucket_arn}/*"
    others = {"ArnNotEquals": {"aws:PrincipalArn": break_glass}}
    return [
        _deny("PlainHttp", "s3:*", [bucket_arn, objects], _bool("aws:SecureTransport", "false")),
        _deny(
            "OldSignature",
            "s3:*",
            [bucket_arn, objects],
            {"StringEquals": {"s3:signatureversion": "AWS"}},
        ),
        *_wrong_key(objects, key_arn),
        _deny("Locked", list(LOCKED_ACTIONS), [bucket_arn, objects], others),
        _deny(
            "HoldLifted",
            "s3:PutObjectLegalHold",
            objects,
            {**others, "StringEquals": {"s3:object-lock-legal-hold": "OFF"}},
        ),
        _deny(
            "LockShortened",
            "s3:PutObjectRetention",
            objects,
            {
                **others,
                # A lock set from today ends a little less than that many days from now.
                "NumericLessThan": {
                    "s3:object-lock-remaining-retention-days": str(retention_days - 1)
                },
            },
        ),
        *(_writers(deployment, bucket_arn, writers) if writers else ()),
    ]


def _wrong_key(objects: str, key_arn: str) -> list[Statement]:
    """An upload without encryption headers gets the bucket's default, which is the vault's key."""
    algorithm = "s3:x-amz-server-side-encryption"
    key = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    return [
        _deny(
            "OtherEncryption",
            "s3:PutObject",
            objects,
            {"StringNotEquals": {algorithm: "aws:kms"}, "Null": {algorithm: "false"}},
        ),
        _deny(
            "OtherKey",
            "s3:PutObject",
            objects,
            {"StringNotEquals": {key: key_arn}, "Null": {key: "false"}},
        ),
        # With the algorithm named and no key, S3 would take the AWS-managed one.
        _deny("UnnamedKey", "s3:PutObject", objects, {"Null": {algorithm: "false", key: "true"}}),
    ]


def _writers(deployment: Deployment, bucket_arn: str, writers: Writers) -> list[Statement]:
    """Other accounts add evidence and fetch tools. Reading evidence is for the analysts here."""
    common = {
        "Principal": writers.principal(deployment),
        "Condition": writers.condition(deployment),
    }
    return [
        {
            "Sid": "WritersAdd",
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
            "Resource": f"{bucket_arn}/cases/*",
            **common,
        },
        {
            "Sid": "WritersFetchTools",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"{bucket_arn}/tools/*",
            **common,
        },
        {
            "Sid": "WritersList",
            "Effect": "Allow",
            # They use the vault only after it has proven that it keeps what it gets.
            "Action": [
                "s3:GetBucketObjectLockConfiguration",
                "s3:GetBucketVersioning",
                "s3:GetEncryptionConfiguration",
                "s3:ListBucket",
            ],
            "Resource": bucket_arn,
            **common,
        },
    ]


def _deny(
    sid: str,
    action: str | Sequence[str],
    resource: str | Sequence[str],
    when: Mapping[str, object],
) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": when,
    }


def _bool(key: str, value: str) -> dict[str, object]:
    return {"Bool": {key: value}}
