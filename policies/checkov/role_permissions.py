"""The responder role is powerful by need; what it may change must be named or bounded."""

from __future__ import annotations

from policies.access import permission_faults
from policies.rules import Conf, Plan, judged, purpose, rule


def judge(conf: Conf, plan: Plan) -> tuple[str, ...] | None:
    """Judges every permission policy that the kit's roles hold: managed (tagged) and inline."""
    if "tags" in conf and not purpose(conf):
        return None
    return judged(conf, "policy", permission_faults)


check = rule(
    "CKV_CORDON_4",
    "The kit's roles change nothing by wildcard without a condition",
    ["aws_iam_policy", "aws_iam_role_policy"],
    "IAM",
    judge,
    alone=True,
)
