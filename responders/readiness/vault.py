"""The vault keeps what is put in it: versioned, locked, encrypted, closed, under its own policy."""

from __future__ import annotations

from collections.abc import Iterator

from contract import Pinned, policy_digest
from responders.aws import code_of
from responders.permissions import allow
from responders.readiness import FAIL, OK, READ_ACCESS, REFRESH, UNKNOWN, WARN, Finding, Place
from responders.readiness.policies import pinned
from responders.trust import vault_proof
from responders.trust.vault_proof import NOT_SEEN, VaultClaim, VaultNotProven, faults_of

SCOPE = "account"
PERMISSIONS = (
    *vault_proof.PERMISSIONS,
    allow(
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        on="arn:{partition}:s3:::{vault}",
        because="looks whether the vault is closed, and its policy as it was generated",
    ),
)
NO_BLOCK, NO_POLICY = "NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy"


def check(place: Place) -> Iterator[Finding]:
    """A finding for each property; one failure where there is no vault that may be used."""
    try:
        claim = place.trust.vault()
    except VaultNotProven as error:
        yield Finding("vault", FAIL, error.message, f"{REFRESH} `cordon trust import` pins it.")
        return
    if claim is None:
        yield Finding(
            "vault", FAIL, "no vault is prepared", "Add a stack with a vault and run `pulumi up`."
        )
        return
    faults = list(faults_of(place.aws, claim))
    for fault in faults:
        if fault.endswith(f"{NOT_SEEN})"):
            yield Finding("vault", UNKNOWN, f"{claim.bucket}: {fault}", READ_ACCESS)
        else:
            yield Finding("vault", FAIL, f"{claim.bucket}: {fault}", REFRESH)
    if not faults:
        kept = f"for {claim.days} days or longer " if claim.days else ""
        yield Finding("vault", OK, f"{claim.bucket} is versioned, locked {kept}and encrypted")
    if claim.owner != place.identity.account:
        detail = (
            f"{claim.bucket} is of account {claim.owner}: its policy is not looked at from here"
        )
        yield Finding("vault", WARN, detail, f"Run `cordon ready` in account {claim.owner} too.")
        return
    yield _closed(place, claim)
    yield _policy(place, claim)


def _closed(place: Place, claim: VaultClaim) -> Finding:
    s3 = place.aws.client("s3", claim.region)
    try:
        answer = s3.get_public_access_block(Bucket=claim.bucket, ExpectedBucketOwner=claim.owner)
        is_closed = all(answer["PublicAccessBlockConfiguration"].values())
    except Exception as error:
        if code_of(error) != NO_BLOCK:
            raise
        is_closed = False
    if is_closed:
        return Finding("vault", OK, f"{claim.bucket} is closed to the public")
    return Finding("vault", FAIL, f"{claim.bucket} is not closed to the public", REFRESH)


def _policy(place: Place, claim: VaultClaim) -> Finding:
    s3 = place.aws.client("s3", claim.region)
    try:
        answer = s3.get_bucket_policy(Bucket=claim.bucket, ExpectedBucketOwner=claim.owner)
    except Exception as error:
        if code_of(error) != NO_POLICY:
            raise
        detail = f"{claim.bucket} has no bucket policy, so nothing keeps administrators from it"
        return Finding("vault", FAIL, detail, REFRESH)
    expected = pinned(place, Pinned.BUCKET, claim.bucket)
    if not expected:
        detail = f"{claim.bucket} has a bucket policy, and nothing pins what it should say"
        return Finding("vault", WARN, detail, "`cordon trust import` pins it.")
    if policy_digest([answer["Policy"]]) != expected:
        detail = f"the bucket policy of {claim.bucket} is not the one that `pulumi up` generated"
        return Finding("vault", FAIL, detail, REFRESH)
    return Finding("vault", OK, f"{claim.bucket} has the policy that was generated for it")
