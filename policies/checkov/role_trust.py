"""Who steals a responder's password, or guesses an account id, must not get the role with it."""

from __future__ import annotations

from contract import IAM_PATH
from policies.access import trust_faults
from policies.rules import Conf, Plan, first, judged, rule


def judge(conf: Conf, plan: Plan) -> tuple[str, ...] | None:
    """Judges the trust of every role under the kit's path."""
    if first(conf, "path") != IAM_PATH:
        return None
    return judged(conf, "assume_role_policy", trust_faults)


check = rule(
    "CKV_CORDON_3",
    "The kit's roles are assumed with MFA or an external id, and never by a wildcard",
    ["aws_iam_role"],
    "IAM",
    judge,
    alone=True,
)
