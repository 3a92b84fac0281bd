"""The role that responders assume: what the actions declare, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.iam import POLICIES_PER_ROLE, Declared, Deployment, Fact, document, merged, packed
from components.people import PeopleRole, people_role
from contract import IAM_PATH, RESPONDER_ROLE, Purpose, kit_tags

KEY_STAND_IN = "{" + "vault_key".center(118, "_") + "}"
"""Stands for the vault key's ARN while policies are sized; no ARN of a key is longer."""


@dataclass(frozen=True)
class ResponderRoleArgs:
    """`permissions` by duty: each gets policies of its own.

    They may name `{partition}`, `{account}`, `{vault}` (a name), `{vault_key}` and what `facts`
    has: `evidence_account`, `evidence_organization`, `examiner`, `trail_key`.
    """

    deployment: Deployment
    people: PeopleRole
    permissions: Mapping[str, Sequence[Declared]]
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
            "partition": self.deployment.partition,
            "account": self.deployment.account,
            "vault": self.vault_bucket,
            "vault_key": KEY_STAND_IN,
            "evidence_account": self.evidence_accounts,
            "evidence_organization": organization,
            "examiner": (self.deployment.account,) if examines else (),
            "trail_key": self.trail_keys,
        }


class ResponderRole(pulumi.ComponentResource):
    """The role and its managed policies. `arn` is the role's, `policies` are their documents."""

    def __init__(
        self, name: str, args: ResponderRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:ResponderRole", name, {}, opts)
        tags = kit_tags(Purpose.ROLE, args.tags)
        role = people_role(
            name, RESPONDER_ROLE, "Cordon: contains a compromised resource", args.people, tags, self
        )
        self.policies: list[pulumi.Output[str]] = []
        for part, text in sized_policies(args).items():
            policy = _with_key(text, args.vault_key_arn)
            self.policies.append(policy)
            managed = aws.iam.Policy(
                f"{name}-policy-{part}",
                name=f"{RESPONDER_ROLE}-{part}",
                path=IAM_PATH,
                description="Cordon: generated from what the actions declare",
                policy=policy,
                tags=tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            aws.iam.RolePolicyAttachment(
                f"{name}-attachment-{part}",
                role=role.name,
                policy_arn=managed.arn,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})


def sized_policies(args: ResponderRoleArgs) -> dict[str, str]:
    """The documents by name, such as `contain` and `contain-2`; the key's ARN is still to fill in.

    `pulumi.RunError`, which Pulumi shows without a stack trace, when they are more or longer than
    IAM takes: so a preview says it, before anything is changed.
    """
    try:
        return policies(args)
    except ValueError as error:
        raise pulumi.RunError(f"the responder role can't be declared: {error}") from error


def policies(args: ResponderRoleArgs) -> dict[str, str]:
    """The same; ValueError when they don't fit."""
    documents: dict[str, str] = {}
    for duty, permissions in args.permissions.items():
        for number, part in enumerate(packed(merged(permissions, args.facts)), start=1):
            documents[duty if number == 1 else f"{duty}-{number}"] = document(part)
    if len(documents) > POLICIES_PER_ROLE:
        raise ValueError(
            f"the declared permissions need {len(documents)} policies; "
            f"a role can have {POLICIES_PER_ROLE}"
        )
    return documents


def _with_key(policy: str, key_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(key_arn).apply(lambda arn: policy.replace(KEY_STAND_IN, arn))
