"""A vault is used only after it has proven itself: whose it is, and that it keeps what it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from responders.aws import Aws, code_of, explain, is_denied
from responders.errors import Incomplete
from responders.permissions import allow

PERMISSIONS = (
    allow(
        "s3:GetBucketVersioning",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetEncryptionConfiguration",
        on="arn:{partition}:s3:::{vault}",
        because="looks whether the vault is versioned, locked and encrypted before it is used",
    ),
)
ABSENT = {
    "NoSuchBucket",
    "ObjectLockConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}
DAYS_IN_YEAR = 365
NOT_SEEN = "may not be looked at"
"""In the line for a property that the caller was refused: who owns the bucket is not known then."""


class VaultNotProven(Incomplete):
    """The vault is not what it should be, so nothing is put into it."""


@dataclass(frozen=True)
class VaultClaim:
    """A vault as it should be. `key_arn` empty: any key of the owner. `days` 0: any retention.

    `mode` is `governance`, `compliance`, or empty for any.
    """

    bucket: str
    region: str
    owner: str
    key_arn: str = ""
    days: int = 0
    mode: str = ""


def prove(aws: Aws, claim: VaultClaim) -> None:
    """Returns when the bucket is as claimed; `VaultNotProven` says what it is not.

    Errors that say nothing of the bucket (a connection lost, S3 out of order) go up as they are.
    """
    if faults := list(faults_of(aws, claim)):
        raise VaultNotProven(
            f"the vault {claim.bucket} is not used: {'; '.join(faults)}",
            "The evidence is on this machine. `cordon ready` says more; `cordon case sync` sends "
            "it once the vault is right.",
        )


def faults_of(aws: Aws, claim: VaultClaim) -> Iterator[str]:
    """A line for each property that the bucket lacks."""
    s3 = aws.client("s3", claim.region)
    named = {"Bucket": claim.bucket, "ExpectedBucketOwner": claim.owner}
    looks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("versioning", lambda: _versioned(s3.get_bucket_versioning(**named))),
        ("Object Lock", lambda: _locked(s3.get_object_lock_configuration(**named), claim)),
        ("encryption", lambda: _encrypted(s3.get_bucket_encryption(**named), claim)),
    )
    asked = [(what, aws.spawn(look)) for what, look in looks]
    for what, answer in asked:
        try:
            fault = answer.result()
        except Exception as error:
            if code_of(error) not in ABSENT and not is_denied(error):
                raise
            fault = f"{what}: {explain(error)}"
            if is_denied(error):
                fault += f" (it is not of account {claim.owner}, or {NOT_SEEN})"
        if fault:
            yield fault


def _versioned(answer: Mapping[str, Any]) -> str:
    return "" if answer.get("Status") == "Enabled" else "versioning is not on"


def _locked(answer: Mapping[str, Any], claim: VaultClaim) -> str:
    lock = answer.get("ObjectLockConfiguration", {})
    retention = lock.get("Rule", {}).get("DefaultRetention", {})
    if lock.get("ObjectLockEnabled") != "Enabled":
        return "Object Lock is not on"
    kept = int(retention.get("Days", 0)) or int(retention.get("Years", 0)) * DAYS_IN_YEAR
    if not retention.get("Mode") or not kept:
        return "Object Lock has no default retention"
    if kept < claim.days:
        return f"it keeps objects for {kept} days, not {claim.days}"
    if claim.mode == "compliance" and retention["Mode"] != "COMPLIANCE":
        return f"its locks are of mode {retention['Mode']}, which can be lifted, not COMPLIANCE"
    return ""


def _encrypted(answer: Mapping[str, Any], claim: VaultClaim) -> str:
    """The key must be a customer's: the claimed one, or one of the owner's account."""
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if not str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
            continue
        key = str(default.get("KMSMasterKeyID", ""))
        if key and (_is(key, claim.key_arn) if claim.key_arn else _is_owned(key, claim.owner)):
            return ""
        return f"it is encrypted under {key or 'aws/s3'}, not under the kit's key"
    return "it is not encrypted under a key of KMS"


def _is(key: str, arn: str) -> bool:
    """Whether a key, by ARN or by id, is the one with the ARN."""
    return key == arn or key == arn.partition(":key/")[2]


def _is_owned(key: str, account: str) -> bool:
    parts = key.split(":")
    return len(parts) == 6 and parts[4] == account and parts[5].startswith("key/")
