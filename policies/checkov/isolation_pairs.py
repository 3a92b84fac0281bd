"""An instance in a VPC without both groups can't be isolated until somebody makes them."""

from __future__ import annotations

from contract import TAG_IGNORE, Purpose
from policies.checkov import ADDRESS, Conf, Plan, Policy, first, points, purpose, tags

PAIR = (Purpose.ISOLATE, Purpose.UNTRACK)


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """Of a VPC: both groups are in it. Of one of the groups: the other is in the same VPC."""
    if "cidr_block" in conf:
        ignored = str(tags(conf).get(TAG_IGNORE, "false")).lower() != "false"
        groups = plan.pointing("aws_security_group", "vpc_id", conf)
        return None if ignored else _missing([purpose(one) for one in groups])
    if purpose(conf) not in PAIR:
        return None
    return _missing([purpose(one) for one in _neighbours(conf, plan)])


def _neighbours(conf: Conf, plan: Plan) -> list[Conf]:
    """All groups of the same VPC and region; a group whose VPC is not known is alone."""
    place = (first(conf, "vpc_id"), first(conf, "region"))
    return [
        one
        for one in plan.all("aws_security_group")
        if points(one[ADDRESS], conf)
        or (place[0] and (first(one, "vpc_id"), first(one, "region")) == place)
    ]


def _missing(found: list[str]) -> list[str]:
    return [f"the VPC has no group {one.value!r}" for one in PAIR if one not in found]


check = Policy(
    "CKV_CORDON_2",
    "Every VPC has its pair of isolation groups",
    ["aws_vpc", "aws_security_group"],
    "NETWORKING",
    judge,
)
