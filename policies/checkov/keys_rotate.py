"""A key that never changes loses everything it ever encrypted at once."""

from __future__ import annotations

from policies.rules import Conf, Plan, first, purpose, rule


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """Rotation is on for every key of the kit."""
    if not purpose(conf):
        return None
    return [] if first(conf, "enable_key_rotation") is True else ["rotation is not enabled"]


check = rule(
    "CKV_CORDON_12",
    "The kit's keys rotate",
    ["aws_kms_key"],
    "ENCRYPTION",
    judge,
    alone=True,
)
