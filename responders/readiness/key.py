"""The region's evidence key can be used, rotates, and is not about to go away."""

from __future__ import annotations

from collections.abc import Iterator

from responders.permissions import allow
from responders.readiness import FAIL, OK, WARN, Finding, Place

SCOPE = "region"
PERMISSIONS = (
    allow(
        "kms:DescribeKey",
        "kms:GetKeyRotationStatus",
        on="arn:{partition}:kms:*:{account}:key/*",
        because="looks at the state of the evidence key",
    ),
)


def check(place: Place) -> Iterator[Finding]:
    """Enabled and rotating; silent where nothing is prepared."""
    manifest = place.manifest
    if manifest is None:
        return
    if not manifest.key_arn:
        yield Finding(
            "key",
            WARN,
            "no evidence key: snapshots under aws/ebs can't be shared or copied under it",
            "Prepare the evidence key (`pulumi up`).",
        )
        return
    kms = place.client("kms")
    state = kms.describe_key(KeyId=manifest.key_arn)["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        yield Finding(
            "key", FAIL, f"{manifest.key_arn} is {state}", "Enable it, or cancel its deletion."
        )
    elif not kms.get_key_rotation_status(KeyId=manifest.key_arn)["KeyRotationEnabled"]:
        yield Finding("key", WARN, f"{manifest.key_arn} does not rotate", "Run `pulumi up`.")
    else:
        yield Finding("key", OK, f"{manifest.key_arn} is enabled and rotates")
