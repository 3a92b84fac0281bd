"""The vault keeps what is put in it: versioned, locked, encrypted, closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from responders.aws import code_of
from responders.permissions import allow
from responders.readiness import FAIL, OK, Finding, Place

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import (
        GetBucketEncryptionOutputTypeDef,
        GetObjectLockConfigurationOutputTypeDef,
        GetPublicAccessBlockOutputTypeDef,
    )

SCOPE = "account"
PERMISSIONS = (
    allow(
        "s3:GetBucketVersioning",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetEncryptionConfiguration",
        "s3:GetBucketPublicAccessBlock",
        on="arn:{partition}:s3:::{vault}",
        because="looks whether the vault is still locked, versioned, encrypted and closed",
    ),
)
ABSENT = {
    "ObjectLockConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchPublicAccessBlockConfiguration",
}


def check(place: Place) -> Iterator[Finding]:
    """A finding for each of its properties; one failure where the home region names no vault."""
    manifest = place.manifest
    if manifest is None or not manifest.vault_bucket:
        yield Finding(
            "vault", FAIL, "no vault is prepared", "Add a stack with a vault and run `pulumi up`."
        )
        return
    bucket = manifest.vault_bucket
    s3 = place.aws.client("s3", manifest.vault_region or place.region)
    looks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("versioned", lambda: s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"),
        ("locked", lambda: _locked(s3.get_object_lock_configuration(Bucket=bucket))),
        ("encrypted with a key", lambda: _encrypted(s3.get_bucket_encryption(Bucket=bucket))),
        ("closed to the public", lambda: _closed(s3.get_public_access_block(Bucket=bucket))),
    )
    for what, look in looks:
        try:
            good = look()
        except Exception as error:
            if code_of(error) not in ABSENT:
                raise
            good = False
        yield (
            Finding("vault", OK, f"{bucket} is {what}")
            if good
            else Finding("vault", FAIL, f"{bucket} is not {what}", "Run `pulumi up`.")
        )


def _locked(answer: GetObjectLockConfigurationOutputTypeDef) -> bool:
    lock = answer["ObjectLockConfiguration"]
    retention = lock.get("Rule", {}).get("DefaultRetention", {})
    return lock.get("ObjectLockEnabled") == "Enabled" and bool(retention.get("Mode"))


def _encrypted(answer: GetBucketEncryptionOutputTypeDef) -> bool:
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    return any(
        r["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"].startswith("aws:kms") for r in rules
    )


def _closed(answer: GetPublicAccessBlockOutputTypeDef) -> bool:
    return all(answer["PublicAccessBlockConfiguration"].values())
