"""`force_destroy` lets one `pulumi destroy` empty the vault first."""

from __future__ import annotations

from contract import Purpose
from policies.rules import Conf, Plan, first, purpose, rule


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """Neither the vault nor its access logs are emptied to be deleted."""
    if purpose(conf) not in (Purpose.VAULT, Purpose.VAULT_LOGS):
        return None
    return ["force_destroy is set"] if first(conf, "force_destroy") else []


check = rule(
    "CKV_CORDON_10",
    "The evidence vault and its logs can't be destroyed with what is in them",
    ["aws_s3_bucket"],
    "BACKUP_AND_RECOVERY",
    judge,
    alone=True,
)
