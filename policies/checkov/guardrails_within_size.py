"""AWS refuses a policy that is too long, at deployment, when it is too late to shorten it."""

from __future__ import annotations

from contract import (
    DECLARATIVE_LIMIT,
    POLICIES_PER_TARGET,
    RCP_LIMIT,
    SCP_LIMIT,
    TAG_POLICY_LIMIT,
)
from policies.rules import Conf, Plan, first, judged, rule

LIMITS = {
    "SERVICE_CONTROL_POLICY": SCP_LIMIT,
    "RESOURCE_CONTROL_POLICY": RCP_LIMIT,
    "TAG_POLICY": TAG_POLICY_LIMIT,
    "DECLARATIVE_POLICY_EC2": DECLARATIVE_LIMIT,
}
"""Characters by type; a policy without a type is a service control policy."""


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """Content within its type's limit, and no more policies on a target than AWS takes."""
    kind = first(conf, "type") or "SERVICE_CONTROL_POLICY"
    if "content" not in conf and "target_id" in conf:
        return _crowded(conf, plan)
    if kind not in LIMITS:
        return None
    faults = list(judged(conf, "content", lambda policy: ()))
    if len(str(first(conf, "content") or "")) > LIMITS[kind]:
        faults.append(f"has {len(first(conf, 'content'))} characters, AWS takes {LIMITS[kind]}")
    return faults


def _crowded(conf: Conf, plan: Plan) -> list[str]:
    target = first(conf, "target_id")
    attachments = plan.alike("aws_organizations_policy_attachment", conf, "target_id")
    if len(attachments) <= POLICIES_PER_TARGET:
        return []
    return [
        f"{len(attachments)} policies are attached to {target}, AWS takes {POLICIES_PER_TARGET}"
    ]


check = rule(
    "CKV_CORDON_17",
    "Guardrails are within the sizes and numbers that AWS takes",
    ["aws_organizations_policy", "aws_organizations_policy_attachment"],
    "GENERAL_SECURITY",
    judge,
)
