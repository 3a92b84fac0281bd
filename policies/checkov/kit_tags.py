"""Responders find what is prepared by its tags: what has none is not there when it is needed."""

from __future__ import annotations

from contract import kit_tag_faults
from policies.rules import Conf, Plan, rule, tags


def judge(conf: Conf, plan: Plan) -> tuple[str, ...] | None:
    """Whatever can be tagged carries the kit's version and a known purpose."""
    return kit_tag_faults(tags(conf)) if "tags" in conf else None


check = rule(
    "CKV_CORDON_15",
    "Everything that the kit prepares carries its tags",
    ["aws_*"],
    "CONVENTION",
    judge,
    alone=True,
)
