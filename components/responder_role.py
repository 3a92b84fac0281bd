"""The role that responders assume: what the actions declare, and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.iam import Declared, Fact, Place, document, merged, packed
from components.people import PeopleRole, people_role
from contract import IAM_PATH, RESPONDER_ROLE, Purpose, kit_tags

KEY_STAND_IN = "{" + "vault_key".center(118, "_") + "}"
"""Stands for the vault key's ARN while policies are sized; no ARN of a key is longer."""


@dataclass(frozen=True)
class ResponderRoleArgs:
    """`permissions` may name `{partition}`, `{account}`, `{vault}` (a name), `{vault_key}` and what
    `facts` has: `evidence_account`, `evidence_organization`, `examiner`, `trail_key`.
    """

    place: Place
    people: PeopleRole
    permissions: Sequence[Declared]
    vault_bucket: str
    vault_key_arn: pulumi.Input[str]
    evidence_accounts: tuple[str, ...] = ()
    evidence_organization: str = ""
    trail_keys: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, Fact]:
        """What the placeholders in permissions stand for. The key's ARN is not known yet."""
        organization = (self.evidence_organization,) if self.evidence_organization else ()
        examines = bool(self.evidence_accounts or organization)
        return {
            "partition": self.place.partition,
            "account": self.place.account,
            "vault": self.vault_bucket,
            "vault_key": KEY_STAND_IN,
            "evidence_account": self.evidence_accounts,
            "evidence_organization": organization,
            "examiner": (self.place.account,) if examines else (),
            "trail_key": self.trail_keys,
        }


class ResponderRole(pulumi.ComponentResource):
    """The role and its managed policies. `arn` is the role's."""

    def __init__(
        self, name: str, args: ResponderRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:ResponderRole", name, {}, opts)
        tags = kit_tags(Purpose.ROLE, args.tags)
        role = people_role(
            name, RESPONDER_ROLE, "Cordon: contains a compromised resource", args.people, tags, self
        )
        for number, policy in enumerate(policies(args), start=1):
            managed = aws.iam.Policy(
                f"{name}-policy-{number}",
                name=f"{RESPONDER_ROLE}-{number}",
                path=IAM_PATH,
                description="Cordon: generated from what the actions declare",
                policy=_with_key(policy, args.vault_key_arn),
                tags=tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            aws.iam.RolePolicyAttachment(
                f"{name}-attachment-{number}",
                role=role.name,
                policy_arn=managed.arn,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})


def policies(args: ResponderRoleArgs) -> Iterable[str]:
    """The policy documents, the key's ARN still to be filled in."""
    return [document(part) for part in packed(merged(args.permissions, args.facts))]


def _with_key(policy: str, key_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(key_arn).apply(lambda arn: policy.replace(KEY_STAND_IN, arn))
