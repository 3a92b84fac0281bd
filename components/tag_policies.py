"""The tagging rules as an organization's tag policy.

A tag policy says which values are right and, for the types enforced, refuses wrong ones. It refuses
neither a missing tag nor a tag's removal: the policy pack, `cordon ready` and the guardrails do
(Organizations user guide, "Tag policy syntax and examples", "Understanding enforcement").
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.organization_policy import OrganizationPolicyArgs, organization_policy
from contract import TAG_POLICY_LIMIT, TAG_RULES, Purpose, TagRule, kit_tags

NAME = "cordon-tags"


@dataclass(frozen=True)
class TagPoliciesArgs:
    """`targets`: roots, organizational units and accounts, by id. `after`: what has to be first."""

    targets: Sequence[str]
    rules: Sequence[TagRule] = TAG_RULES
    tags: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[pulumi.Resource] = ()


class TagPolicies(pulumi.ComponentResource):
    """One policy with every rule, attached to each target. `policy_id` is its id."""

    def __init__(
        self, name: str, args: TagPoliciesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            "cordon:components:TagPolicies", name, {"targets": list(args.targets)}, opts
        )
        policy_args = OrganizationPolicyArgs(
            name=NAME,
            type="TAG_POLICY",
            description="Cordon: which tags resources carry, with which values",
            content=content(args.rules),
            targets=args.targets,
            tags=kit_tags(Purpose.GUARDRAIL, args.tags),
            after=args.after,
        )
        self.policy_id = organization_policy(f"{name}-policy", policy_args, self)
        self.register_outputs({"policyId": self.policy_id})


def content(rules: Sequence[TagRule]) -> str:
    """The policy's JSON. ValueError when it is longer than Organizations takes."""
    text = json.dumps({"tags": {rule.key: _rule(rule) for rule in rules}}, separators=(",", ":"))
    if len(text) > TAG_POLICY_LIMIT:
        raise ValueError(
            f"the tag policy has {len(text)} characters, over {TAG_POLICY_LIMIT}; "
            "set fewer rules, values or types"
        )
    return text


def _rule(rule: TagRule) -> dict[str, object]:
    """One rule. A list left out means any value, or nothing enforced."""
    lists = {"tag_value": rule.values, "enforced_for": rule.enforced_for}
    return {
        "tag_key": {"@@assign": rule.key},
        **{name: {"@@assign": list(values)} for name, values in lists.items() if values},
    }
