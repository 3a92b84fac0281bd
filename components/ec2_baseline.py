"""A declarative policy for EC2: nothing made public, metadata by token only, no serial console.

EC2 itself keeps these settings, in every region and for whatever interface is used, and accounts
can't change them (Organizations user guide, "EC2 policy syntax and examples").
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.organization_policy import OrganizationPolicyArgs, organization_policy
from contract import Purpose, kit_tags

TYPE = "DECLARATIVE_POLICY_EC2"
SETTINGS: Mapping[str, Mapping[str, str]] = {
    # What is shared already stays so: a new rule must not break what runs.
    "snapshot_block_public_access": {"state": "block_new_sharing"},
    "image_block_public_access": {"state": "block_new_sharing"},
    # Defaults for new instances; containers need the second hop.
    "instance_metadata_defaults": {"http_tokens": "required", "http_put_response_hop_limit": "2"},
    "serial_console_access": {"status": "disabled"},
}
MESSAGE = "Set for the whole organization by Cordon: ask the security team."


@dataclass(frozen=True)
class Ec2BaselineArgs:
    """`targets`: roots, organizational units and accounts, by id. `after`: what has to be first."""

    targets: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[pulumi.Resource] = ()


class Ec2Baseline(pulumi.ComponentResource):
    """The policy, attached to the targets. `policy_id` is its id."""

    def __init__(
        self, name: str, args: Ec2BaselineArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            "cordon:components:Ec2Baseline", name, {"targets": list(args.targets)}, opts
        )
        self.policy_id = organization_policy(
            f"{name}-policy",
            OrganizationPolicyArgs(
                name="cordon-ec2-baseline",
                type=TYPE,
                description="Cordon: nothing public, metadata by token, no serial console",
                content=content(),
                targets=args.targets,
                tags=kit_tags(Purpose.GUARDRAIL, args.tags),
                after=args.after,
            ),
            self,
        )
        self.register_outputs({"policyId": self.policy_id})


def content() -> str:
    """The policy's JSON; `@@assign` sets a value, over what stands higher in the organization."""
    attributes: dict[str, Mapping[str, object]] = {"exception_message": {"@@assign": MESSAGE}}
    for name, values in SETTINGS.items():
        attributes[name] = {key: {"@@assign": value} for key, value in values.items()}
    return json.dumps({"ec2_attributes": attributes}, separators=(",", ":"))
