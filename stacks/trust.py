"""The trust document: what was prepared, in the words of who prepared it.

Responders keep it (`cordon trust import`). Then what somebody writes into the account afterwards,
be it the manifest or a tag, can be told from what `pulumi up` made, and is not used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import pulumi

from contract import (
    ANALYST_ROLE,
    BREAK_GLASS_ROLE,
    RESPONDER_ROLE,
    TRUST_DIGEST_EXPORT,
    TRUST_EXPORT,
    WORKSTATION_PROFILE,
    Manifest,
    Pinned,
    TrustDocument,
    TrustedRegion,
    pin_name,
    policy_digest,
)
from stacks.account import Account
from stacks.config import Settings
from stacks.forensics import Forensics
from stacks.foundation import Foundation


def exports(
    settings: Settings,
    foundation: Foundation,
    prepared: Account,
    examined: Forensics,
    manifests: Mapping[str, pulumi.Output[str]],
) -> dict[str, pulumi.Output[str]]:
    """`trustDocument`, its canonical JSON, and `trustDigest`, the SHA-256 of that text.

    `manifests` maps a region to the text of its manifest.
    """
    document = pulumi.Output.all(
        manifests=dict(manifests),
        groups={region: prepared.groups.get(region, {}) for region in manifests},
        policies=_policies(foundation, prepared, examined),
    ).apply(lambda known: _text(settings, foundation, **known))
    hashed = document.apply(lambda text: hashlib.sha256(text.encode()).hexdigest())
    return {TRUST_EXPORT: document, TRUST_DIGEST_EXPORT: hashed}


def _policies(
    foundation: Foundation, prepared: Account, examined: Forensics
) -> dict[str, list[pulumi.Input[str]]]:
    """Name of a pin to the documents that together are pinned under it."""
    policies = {name: [policy] for name, policy in foundation.policies.items()}
    if prepared.policies:
        policies[pin_name(Pinned.ROLE, RESPONDER_ROLE)] = list(prepared.policies)
    if examined.policy:
        policies[pin_name(Pinned.ROLE, WORKSTATION_PROFILE)] = [examined.policy]
    return policies


def _text(
    settings: Settings,
    foundation: Foundation,
    manifests: Mapping[str, str],
    groups: Mapping[str, Mapping[str, Mapping[str, str]]],
    policies: Mapping[str, Sequence[str]],
) -> str:
    vault, deployment = settings.vault, foundation.estate.deployment
    return TrustDocument(
        account=deployment.account,
        partition=deployment.partition,
        # A vault that another deployment made belongs to the account of its key.
        vault_account=vault.key_arn.split(":")[4] if vault.bucket else deployment.account,
        retention_mode="" if vault.bucket else vault.mode,
        retention_days=0 if vault.bucket else vault.days,
        people=_people(settings),
        policies={name: policy_digest(documents) for name, documents in policies.items()},
        regions={
            region: TrustedRegion(
                Manifest.from_fields(json.loads(text)),
                {vpc: dict(pair) for vpc, pair in groups[region].items()},
            )
            for region, text in manifests.items()
        },
    ).to_json()


def _people(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Who may assume each role that this deployment makes, by the role's name."""
    access = settings.access
    roles: dict[str, tuple[str, ...]] = {}
    if "account" in settings.stacks:
        roles[RESPONDER_ROLE] = access.responders
    if not settings.vault.bucket:
        roles[ANALYST_ROLE] = access.readers
        if access.break_glass:
            roles[BREAK_GLASS_ROLE] = access.break_glass
    return {role: tuple(sorted(arns)) for role, arns in roles.items()}
