"""What several stacks stand on: a key per region, and the evidence vault, here or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.analyst_role import AnalystRole, AnalystRoleArgs
from components.break_glass_role import BreakGlassRole, BreakGlassRoleArgs
from components.evidence_key import EvidenceKey, EvidenceKeyArgs
from components.evidence_vault import EvidenceVault, EvidenceVaultArgs
from components.people import PeopleRole
from components.writers import Writers
from contract import (
    ANALYST_ROLE,
    BREAK_GLASS_ROLE,
    TAG_VAULT,
    VAULT_LOGS_PREFIX,
    VAULT_PREFIX,
    Pinned,
    pin_name,
    vault_bucket,
)
from stacks.config import ORGANIZATION, Settings
from stacks.estate import Estate


@dataclass(frozen=True)
class Vault:
    """Where evidence goes. `name` is known before the bucket is; `bucket` waits for it.

    `policy` is the document of its bucket policy; empty for a vault of another deployment.
    """

    name: str
    bucket: pulumi.Input[str]
    region: str
    key_arn: pulumi.Input[str]
    policy: pulumi.Input[str] = ""


@dataclass(frozen=True)
class Foundation:
    """The account's keys by region (the vault's region among them), its vault, who reads it.

    `policies` maps what a policy is of (`policy_pins`) to its document.
    """

    estate: Estate
    keys: Mapping[str, pulumi.Output[str]]
    vault: Vault
    roles: Mapping[str, pulumi.Output[str]]
    policies: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def exports(self) -> dict[str, Any]:
        """`account`, `partition`, `regions`, `keys` by region, `vault`, roles by name."""
        return {
            "account": self.estate.deployment.account,
            "partition": self.estate.deployment.partition,
            "regions": list(self.estate.regions),
            "keys": dict(self.keys),
            "vault": {
                "bucket": self.vault.bucket,
                "region": self.vault.region,
                "keyArn": self.vault.key_arn,
            },
            **self.roles,
        }


def lay(settings: Settings, estate: Estate) -> Foundation:
    """Declares the keys and, unless the settings name one made elsewhere, the vault.

    A vault that was made here before one elsewhere was named stays declared, with who reads it.
    """
    central = settings.vault
    if not central.bucket:
        name, region = _own_vault(settings, estate)
        keys = _keys(settings, estate, region, writers(settings))
        vault = _vault(settings, estate, name, region, keys[region].arn)
        return _foundation(estate, keys, vault, _roles(settings, estate, vault))
    roles: Roles = {}
    if central.former:
        region = _region_of(central.former, estate)
        keys = _keys(settings, estate, region, Writers())
        former = _vault(settings, estate, central.former, region, keys[region].arn)
        roles = _roles(settings, estate, former)
    else:
        keys = _keys(settings, estate, "", Writers())
    vault = Vault(central.bucket, central.bucket, central.region, central.key_arn)
    return _foundation(estate, keys, vault, roles)


Roles = dict[str, AnalystRole | BreakGlassRole]
"""A role's name to its component."""
EXPORTED_AS = {ANALYST_ROLE: "analystRole", BREAK_GLASS_ROLE: "breakGlassRole"}


def _foundation(
    estate: Estate, keys: Mapping[str, EvidenceKey], vault: Vault, roles: Roles
) -> Foundation:
    policies: dict[str, pulumi.Input[str]] = {
        **{pin_name(Pinned.KEY, region): key.policy for region, key in keys.items()},
        **{pin_name(Pinned.ROLE, name): role.policy for name, role in roles.items()},
    }
    if vault.policy:
        policies[pin_name(Pinned.BUCKET, vault.name)] = vault.policy
    return Foundation(
        estate,
        {region: key.arn for region, key in keys.items()},
        vault,
        {EXPORTED_AS[name]: role.arn for name, role in roles.items()},
        policies,
    )


def _own_vault(settings: Settings, estate: Estate) -> tuple[str, str]:
    """Name and region of the vault that is made here."""
    region = settings.vault.region or settings.home
    return vault_bucket(estate.deployment.account, region, settings.vault.suffix), region


def _region_of(bucket: str, estate: Estate) -> str:
    """The region in the name of a vault of this account; a suffix may follow it."""
    ending = bucket.removeprefix(vault_bucket(estate.deployment.account, ""))
    return max((r for r in estate.enabled if ending.startswith(r)), key=len)


def _keys(
    settings: Settings, estate: Estate, vault_region: str, vault_writers: Writers
) -> dict[str, EvidenceKey]:
    """A key per region, that of the vault among them, which its writers may use."""
    regions = sorted({*estate.regions, *([vault_region] if vault_region else [])})
    return {
        r: _key(settings, estate, r, vault_writers if r == vault_region else Writers())
        for r in regions
    }


def people(settings: Settings, estate: Estate, principals: tuple[str, ...]) -> PeopleRole:
    """How these principals assume a role of this account."""
    access = settings.access
    return PeopleRole(
        deployment=estate.deployment,
        principals=principals,
        require_mfa=access.require_mfa,
        external_id=access.external_id,
        boundary=access.boundary,
        hours=access.session_hours,
    )


def writers(settings: Settings) -> Writers:
    """Who writes into the vault from other accounts."""
    named = settings.vault.writers
    if ORGANIZATION in named:
        return Writers(organization=settings.organization_id)
    return Writers(accounts=named)


def _key(settings: Settings, estate: Estate, region: str, key_writers: Writers) -> EvidenceKey:
    args = EvidenceKeyArgs(
        region=region,
        deployment=estate.deployment,
        forensic_account=settings.forensic_account,
        writers=key_writers,
        topics=settings.watch == "topic",
        shared=settings.ebs_default_encryption,
        deletion_days=settings.key_deletion_days,
        tags=settings.tags,
    )
    return EvidenceKey(f"key-{region}", args)


def _vault(
    settings: Settings, estate: Estate, name: str, region: str, key_arn: pulumi.Output[str]
) -> Vault:
    args = EvidenceVaultArgs(
        region=region,
        deployment=estate.deployment,
        bucket=name,
        log_bucket=VAULT_LOGS_PREFIX + name.removeprefix(VAULT_PREFIX),
        key_arn=key_arn,
        mode=settings.vault.mode,
        days=settings.vault.days,
        log_days=settings.log_days,
        writers=writers(settings),
        tags=settings.tags,
    )
    made = EvidenceVault("vault", args)
    return Vault(name, made.bucket, region, key_arn, made.policy)


def _roles(settings: Settings, estate: Estate, vault: Vault) -> Roles:
    access = settings.access
    readers = people(settings, estate, access.readers)
    analyst = AnalystRole(
        "analyst",
        AnalystRoleArgs(
            readers,
            vault.name,
            vault.region,
            vault.key_arn,
            {**settings.tags, TAG_VAULT: vault.name},
        ),
    )
    if not access.break_glass:
        return {ANALYST_ROLE: analyst}
    lifters = people(settings, estate, access.break_glass)
    glass = BreakGlassRole("break-glass", BreakGlassRoleArgs(lifters, vault.name, settings.tags))
    return {ANALYST_ROLE: analyst, BREAK_GLASS_ROLE: glass}
