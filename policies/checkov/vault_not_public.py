"""A public vault gives the evidence to the attacker."""

from __future__ import annotations

from contract import Purpose
from policies.access import public_faults
from policies.rules import Conf, Plan, first, judged, purpose, rule

BLOCKS = (
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
)


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """All four public access blocks are on, and no bucket policy allows everybody anything."""
    if purpose(conf) not in (Purpose.VAULT, Purpose.VAULT_LOGS):
        return None
    name = first(conf, "bucket") or ""
    access_blocks = plan.pointing("aws_s3_bucket_public_access_block", "bucket", conf, name)
    unset = (
        key
        for key in BLOCKS
        if not any(first(access_block, key) is True for access_block in access_blocks)
    )
    faults = [f"{key} is not set" for key in unset]
    for bucket_policy in plan.pointing("aws_s3_bucket_policy", "bucket", conf, name):
        faults += judged(bucket_policy, "policy", public_faults)
    return faults


check = rule(
    "CKV_CORDON_9",
    "The evidence vault and its logs are not public",
    ["aws_s3_bucket"],
    "IAM",
    judge,
)
