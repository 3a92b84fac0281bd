"""Object Lock protects versions: without them a lock has nothing to hold."""

from __future__ import annotations

from contract import Purpose
from policies.rules import Conf, Plan, block, first, purpose, rule


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """Versioning is on for the vault and for its access logs."""
    if purpose(conf) not in (Purpose.VAULT, Purpose.VAULT_LOGS):
        return None
    versionings = plan.pointing(
        "aws_s3_bucket_versioning", "bucket", conf, first(conf, "bucket") or ""
    )
    states = [
        first(block(versioning, "versioning_configuration"), "status") for versioning in versionings
    ]
    return [] if "Enabled" in states else ["versioning is not enabled"]


check = rule(
    "CKV_CORDON_6",
    "The evidence vault and its logs keep versions",
    ["aws_s3_bucket"],
    "BACKUP_AND_RECOVERY",
    judge,
)
