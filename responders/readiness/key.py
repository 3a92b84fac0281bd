"""The region's evidence key can be used, rotates, keeps its policy, and is not about to go away."""

from __future__ import annotations

from collections.abc import Iterator

from contract import Pinned, policy_digest
from responders.aws import code_of
from responders.permissions import allow
from responders.readiness import FAIL, OK, REFRESH, WARN, Finding, Place
from responders.readiness.policies import pinned

SCOPE = "region"
PERMISSIONS = (
    allow(
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        on="arn:{partition}:kms:*:{account}:key/*",
        because="looks at the state and the policy of the evidence key",
    ),
)


def check(place: Place) -> Iterator[Finding]:
    """Enabled, rotating, under its own policy; silent where nothing is prepared.

    The key is the pinned one, or where nothing is pinned the one behind the kit's alias.
    """
    if not place.is_prepared:
        return
    key = place.trust.manifest.key_arn
    if not key:
        yield Finding(
            "key",
            WARN,
            "no evidence key is used: snapshots under aws/ebs can't be shared or copied under it",
            "Prepare the evidence key (`pulumi up`); the manifest's check names one not trusted.",
        )
        return
    named = f"--region {place.region} --key-id {key}"
    kms = place.client("kms")
    try:
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except Exception as error:
        if code_of(error) != "NotFoundException":
            raise
        yield Finding("key", FAIL, f"{key} is gone", REFRESH)
        return
    if state == "PendingDeletion":
        # A key is disabled still when its deletion was cancelled (KMS reference).
        fix = f"`aws kms cancel-key-deletion {named}`, then `aws kms enable-key {named}`"
        yield Finding("key", FAIL, f"{key} is about to be deleted", fix)
    elif state != "Enabled":
        yield Finding("key", FAIL, f"{key} is {state}", f"`aws kms enable-key {named}`")
    elif not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]:
        yield Finding("key", FAIL, f"{key} does not rotate", REFRESH)
    else:
        yield Finding("key", OK, f"{key} is enabled and rotates")
    if expected := pinned(place, Pinned.KEY, place.region):
        policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        if policy_digest([policy]) != expected:
            detail = f"the policy of {key} is not the one that `pulumi up` generated"
            yield Finding("key", FAIL, detail, REFRESH)
        else:
            yield Finding("key", OK, f"{key} has the policy that was generated for it")
