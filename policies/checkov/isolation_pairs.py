"""An instance in a VPC without both groups can't be isolated until somebody makes them."""

from __future__ import annotations

from contract import TAG_IGNORE, Purpose
from policies.rules import Conf, Plan, purpose, rule, tags

PAIR = (Purpose.ISOLATE, Purpose.UNTRACK)


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """Of a VPC: both groups are in it. Of one of the groups: the other is in the same VPC."""
    if "cidr_block" in conf:
        ignored = str(tags(conf).get(TAG_IGNORE, "false")).lower() != "false"
        groups = plan.pointing("aws_security_group", "vpc_id", conf)
        return None if ignored else _missing([purpose(group) for group in groups])
    if purpose(conf) not in PAIR:
        return None
    neighbours = plan.alike("aws_security_group", conf, "vpc_id", "region")
    return _missing([purpose(group) for group in (conf, *neighbours)])


def _missing(purposes: list[str]) -> list[str]:
    return [
        f"the VPC has no group {expected.value!r}" for expected in PAIR if expected not in purposes
    ]


check = rule(
    "CKV_CORDON_2",
    "Every VPC has its pair of isolation groups",
    ["aws_vpc", "aws_security_group"],
    "NETWORKING",
    judge,
)
