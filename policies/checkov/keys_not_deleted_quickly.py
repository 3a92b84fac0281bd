"""Deleting the key destroys all evidence under it, locks or no locks: that must take its time."""

from __future__ import annotations

from contract import KEY_DELETION_DAYS_MIN
from policies.rules import Conf, Plan, first, purpose, rule

DEFAULT_DAYS = 30
"""What KMS waits when nothing is said (KMS API, ScheduleKeyDeletion)."""


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """The waiting time is long enough to notice."""
    if not purpose(conf):
        return None
    days = first(conf, "deletion_window_in_days")
    if int(DEFAULT_DAYS if days is None else days) >= KEY_DELETION_DAYS_MIN:
        return []
    return [f"is deleted after {days} days, at least {KEY_DELETION_DAYS_MIN} should pass"]


check = rule(
    "CKV_CORDON_13",
    "The kit's keys can't be deleted quickly",
    ["aws_kms_key"],
    "ENCRYPTION",
    judge,
    alone=True,
)
