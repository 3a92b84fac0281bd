"""What several stacks stand on: a key per region, and the evidence vault, here or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.evidence_key import EvidenceKey, EvidenceKeyArgs
from components.evidence_vault import EvidenceVault, EvidenceVaultArgs
from components.writers import Writers
from contract import VAULT_LOGS_PREFIX, vault_bucket
from stacks.config import ORGANIZATION, Settings
from stacks.estate import Estate


@dataclass(frozen=True)
class Vault:
    """Where evidence goes. `name` is known before the bucket is; `bucket` waits for it."""

    name: str
    bucket: pulumi.Input[str]
    region: str
    key_arn: pulumi.Input[str]
    made_here: bool


@dataclass(frozen=True)
class Foundation:
    """The account's keys by region (the vault's region among them) and its vault."""

    estate: Estate
    keys: Mapping[str, pulumi.Output[str]]
    vault: Vault


def lay(settings: Settings, estate: Estate) -> Foundation:
    """Declares the keys and, unless the settings name one made elsewhere, the vault."""
    told = settings.vault
    vault_region = told.region or settings.home
    here = not told.bucket
    regions = sorted({*estate.regions, *([vault_region] if here else [])})
    keys = {region: _key(settings, estate, region, vault_region) for region in regions}
    if not here:
        vault = Vault(told.bucket, told.bucket, vault_region, told.key_arn, False)
        return Foundation(estate, keys, vault)
    return Foundation(estate, keys, _vault(settings, estate, vault_region, keys[vault_region]))


def _key(settings: Settings, estate: Estate, region: str, vault_region: str) -> pulumi.Output[str]:
    holds_vault = region == vault_region and not settings.vault.bucket
    args = EvidenceKeyArgs(
        region=region,
        place=estate.place,
        forensic_account=settings.forensic_account,
        writers=writers(settings) if holds_vault else Writers(),
        topics=settings.watch == "topic",
        deletion_days=settings.key_deletion_days,
        tags=settings.tags,
    )
    return EvidenceKey(f"key-{region}", args).arn


def _vault(settings: Settings, estate: Estate, region: str, key_arn: pulumi.Output[str]) -> Vault:
    told = settings.vault
    name = vault_bucket(estate.place.account, region, told.suffix)
    args = EvidenceVaultArgs(
        region=region,
        place=estate.place,
        bucket=name,
        log_bucket=f"{VAULT_LOGS_PREFIX}{estate.place.account}-{region}{told.suffix}",
        key_arn=key_arn,
        mode=told.mode,
        days=told.days,
        log_days=settings.log_days,
        writers=writers(settings),
        tags=settings.tags,
    )
    return Vault(name, EvidenceVault("vault", args).bucket, region, key_arn, True)


def writers(settings: Settings) -> Writers:
    """Who writes into the vault from other accounts."""
    named = settings.vault.writers
    if ORGANIZATION in named:
        return Writers(organization=settings.organization_id)
    return Writers(accounts=named)
