"""Buckets and their settings, each a resource of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from lab.engine.resource import Change, Created, Existing, Kind, New, exists, nothing


def _bucket(new: New) -> Created:
    s3 = new.client("s3")
    where = {} if new.region == "us-east-1" else {"LocationConstraint": new.region}
    s3.create_bucket(
        Bucket=new.name,
        ObjectLockEnabledForBucket=bool(new.inputs.get("objectLockEnabled")),
        **({"CreateBucketConfiguration": where} if where else {}),
    )
    if new.tags:
        s3.put_bucket_tagging(Bucket=new.name, Tagging={"TagSet": new.tags})
    return new.name, {
        "arn": f"arn:aws:s3:::{new.name}",
        "bucket": new.name,
        "bucketDomainName": f"{new.name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{new.name}.s3.{new.region}.amazonaws.com",
    }


def _versioning(s3: Any, new: New) -> None:
    status = new.inputs["versioningConfiguration"]["status"]
    s3.put_bucket_versioning(
        Bucket=new.inputs["bucket"], VersioningConfiguration={"Status": status}
    )


def _encryption(s3: Any, new: New) -> None:
    rules = []
    for rule in new.inputs["rules"]:
        default = rule["applyServerSideEncryptionByDefault"]
        applied = {"SSEAlgorithm": default["sseAlgorithm"]}
        if default.get("kmsMasterKeyId"):
            applied["KMSMasterKeyID"] = default["kmsMasterKeyId"]
        rules.append(
            {
                "ApplyServerSideEncryptionByDefault": applied,
                "BucketKeyEnabled": bool(rule.get("bucketKeyEnabled")),
            }
        )
    s3.put_bucket_encryption(
        Bucket=new.inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules}
    )


def _public_access(s3: Any, new: New) -> None:
    names = (
        ("blockPublicAcls", "BlockPublicAcls"),
        ("ignorePublicAcls", "IgnorePublicAcls"),
        ("blockPublicPolicy", "BlockPublicPolicy"),
        ("restrictPublicBuckets", "RestrictPublicBuckets"),
    )
    s3.put_public_access_block(
        Bucket=new.inputs["bucket"],
        PublicAccessBlockConfiguration={aws: bool(new.inputs.get(wire)) for wire, aws in names},
    )


def _ownership(s3: Any, new: New) -> None:
    rule = {"ObjectOwnership": new.inputs["rule"]["objectOwnership"]}
    s3.put_bucket_ownership_controls(
        Bucket=new.inputs["bucket"], OwnershipControls={"Rules": [rule]}
    )


def _policy(s3: Any, new: New) -> None:
    s3.put_bucket_policy(Bucket=new.inputs["bucket"], Policy=new.inputs["policy"])


def _lock(s3: Any, new: New) -> None:
    configuration: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if new.inputs.get("rule"):
        default = new.inputs["rule"]["defaultRetention"]
        names = {"mode": "Mode", "days": "Days", "years": "Years"}
        retention = {aws: default[wire] for wire, aws in names.items() if default.get(wire)}
        configuration["Rule"] = {"DefaultRetention": retention}
    s3.put_object_lock_configuration(
        Bucket=new.inputs["bucket"], ObjectLockConfiguration=configuration
    )


def _logging(s3: Any, new: New) -> None:
    target = {
        "TargetBucket": new.inputs["targetBucket"],
        "TargetPrefix": new.inputs.get("targetPrefix", ""),
    }
    s3.put_bucket_logging(
        Bucket=new.inputs["bucket"], BucketLoggingStatus={"LoggingEnabled": target}
    )


def _lifecycle(s3: Any, new: New) -> None:
    s3.put_bucket_lifecycle_configuration(
        Bucket=new.inputs["bucket"],
        LifecycleConfiguration={"Rules": [_lifecycle_rule(r) for r in new.inputs["rules"]]},
    )


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ID": rule["id"],
        "Status": rule["status"],
        "Filter": {"Prefix": (rule.get("filter") or {}).get("prefix", "")},
    }
    for wire, aws, member, days in (
        ("expiration", "Expiration", "days", "Days"),
        (
            "noncurrentVersionExpiration",
            "NoncurrentVersionExpiration",
            "noncurrentDays",
            "NoncurrentDays",
        ),
        (
            "abortIncompleteMultipartUpload",
            "AbortIncompleteMultipartUpload",
            "daysAfterInitiation",
            "DaysAfterInitiation",
        ),
    ):
        if (rule.get(wire) or {}).get(member):
            document[aws] = {days: rule[wire][member]}
    return document


Put = Callable[[Any, New], object]


def _setting(
    put: Put,
    names: Collection[str],
    get: Callable[[Any], Callable[..., object]],
    delete: Change = nothing,
) -> Kind:
    """A setting of a bucket: its id is the bucket's name. `names` are inputs that can change."""

    def apply(new: New) -> None:
        put(new.client("s3"), new)

    def create(new: New) -> Created:
        apply(new)
        return str(new.inputs["bucket"]), {}

    return Kind(
        create,
        exists(lambda existing: get(existing.client("s3"))(Bucket=existing.id)),
        delete,
        dict.fromkeys(names, apply),
        ABSENT,
    )


def _tags(existing: Existing) -> None:
    existing.client("s3").put_bucket_tagging(Bucket=existing.id, Tagging={"TagSet": existing.tags})


def _suspend(existing: Existing) -> None:
    existing.client("s3").put_bucket_versioning(
        Bucket=existing.id, VersioningConfiguration={"Status": "Suspended"}
    )


ABSENT = (
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchLifecycleConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
)

KINDS = {
    "aws:s3/bucket:Bucket": Kind(
        _bucket,
        exists(lambda existing: existing.client("s3").head_bucket(Bucket=existing.id)),
        lambda existing: existing.client("s3").delete_bucket(Bucket=existing.id),
        {"tags": _tags, "forceDestroy": nothing},
        ABSENT,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        _versioning, ["versioningConfiguration"], lambda s3: s3.get_bucket_versioning, _suspend
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        _setting(
            _encryption,
            ["rules"],
            lambda s3: s3.get_bucket_encryption,
            lambda existing: existing.client("s3").delete_bucket_encryption(Bucket=existing.id),
        )
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        _public_access,
        ["blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets"],
        lambda s3: s3.get_public_access_block,
        lambda existing: existing.client("s3").delete_public_access_block(Bucket=existing.id),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        _ownership,
        ["rule"],
        lambda s3: s3.get_bucket_ownership_controls,
        lambda existing: existing.client("s3").delete_bucket_ownership_controls(Bucket=existing.id),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _setting(
        _policy,
        ["policy"],
        lambda s3: s3.get_bucket_policy,
        lambda existing: existing.client("s3").delete_bucket_policy(Bucket=existing.id),
    ),
    # The lock of a bucket can be changed, not taken away.
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _setting(
        _lock, ["rule"], lambda s3: s3.get_object_lock_configuration
    ),
    "aws:s3/bucketLogging:BucketLogging": _setting(
        _logging,
        ["targetBucket", "targetPrefix"],
        lambda s3: s3.get_bucket_logging,
        lambda existing: existing.client("s3").put_bucket_logging(
            Bucket=existing.id, BucketLoggingStatus={}
        ),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        _lifecycle,
        ["rules"],
        lambda s3: s3.get_bucket_lifecycle_configuration,
        lambda existing: existing.client("s3").delete_bucket_lifecycle(Bucket=existing.id),
    ),
}
