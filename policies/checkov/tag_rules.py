"""The organization's tagging rules hold for the kit too, before a tag policy refuses it."""

from __future__ import annotations

from contract import tag_faults
from policies.rules import Conf, Plan, rule, tags


def judge(conf: Conf, plan: Plan) -> tuple[str, ...] | None:
    """Required tags are there, and each has an allowed value."""
    return tag_faults(tags(conf)) if "tags" in conf else None


check = rule(
    "CKV_CORDON_16",
    "Everything carries the tags that the organization requires, with allowed values",
    ["aws_*"],
    "CONVENTION",
    judge,
    alone=True,
)
