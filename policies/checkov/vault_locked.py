"""Evidence that can be overwritten or deleted proves nothing."""

from __future__ import annotations

from contract import Purpose
from policies.rules import Conf, Plan, block, first, purpose, rule

LOCK = "aws_s3_bucket_object_lock_configuration"
MODES = ("GOVERNANCE", "COMPLIANCE")


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """Object Lock is on, and whatever is written is retained by default."""
    if purpose(conf) != Purpose.VAULT:
        return None
    faults = [] if first(conf, "object_lock_enabled") is True else ["Object Lock is not enabled"]
    locks = plan.pointing(LOCK, "bucket", conf, first(conf, "bucket") or "")
    retentions = [block(lock, "rule", "default_retention") for lock in locks]
    defaults = [
        retention
        for retention in retentions
        if first(retention, "days") or first(retention, "years")
    ]
    if not any(first(retention, "mode") in MODES for retention in defaults):
        faults.append("nothing is retained by default")
    return faults


check = rule(
    "CKV_CORDON_5",
    "The evidence vault locks what it receives",
    ["aws_s3_bucket"],
    "BACKUP_AND_RECOVERY",
    judge,
)
