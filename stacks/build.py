"""Builds the stacks that the settings name, in the order in which they stand on each other."""

from __future__ import annotations

from typing import Any

import pulumi

from components.documents import Documents, DocumentsArgs
from components.manifest import Manifest, ManifestArgs
from stacks import trust
from stacks.account import Account, account
from stacks.agreement import agree
from stacks.config import Settings
from stacks.costs import Estimate, estimate
from stacks.estate import Estate, survey
from stacks.forensics import Forensics, forensics, networks
from stacks.foundation import Foundation, lay
from stacks.organization import organization


async def build() -> dict[str, Any]:
    """Reads the settings, looks at the account, declares everything; returns the exports.

    Whatever is wrong with the settings is said (`BadConfig`) before anything is registered.
    """
    settings = Settings.read()
    estate = await survey(settings) if {"account", "forensics"} & {*settings.stacks} else None
    if estate:
        agree(settings, estate)
        networks(settings, estate)
    exports = organization(settings) if "organization" in settings.stacks else {}
    return {**exports, **(_regional(settings, estate) if estate else {})}


def _regional(settings: Settings, estate: Estate) -> dict[str, Any]:
    """The account and forensics stacks, which share keys, vault and manifests."""
    foundation = lay(settings, estate)
    examined = forensics(settings, foundation) if "forensics" in settings.stacks else Forensics()
    prepared = account(settings, foundation) if "account" in settings.stacks else Account()
    manifests = {
        region: _manifest(settings, foundation, examined, prepared, region)
        for region in estate.regions
    }
    cost = _cost(settings, foundation)
    pulumi.log.info(f"cordon: {cost.text()}")
    return {
        **foundation.exports(),
        **(examined.exports() if "forensics" in settings.stacks else {}),
        **(prepared.exports() if "account" in settings.stacks else {}),
        "manifests": {region: manifest.parameter for region, manifest in manifests.items()},
        **trust.exports(
            settings,
            foundation,
            prepared,
            examined,
            {region: manifest.text for region, manifest in manifests.items()},
        ),
        "cost": cost.export(),
    }


def _cost(settings: Settings, foundation: Foundation) -> Estimate:
    tiers = {region: settings.network.tier_of(region) for region in foundation.estate.zones}
    return estimate(foundation.keys, tiers)


def _manifest(
    settings: Settings,
    foundation: Foundation,
    examined: Forensics,
    prepared: Account,
    region: str,
) -> Manifest:
    """The region's documents, and the parameter that names everything in the region."""
    vault = foundation.vault
    documents = Documents(f"documents-{region}", DocumentsArgs(region, settings.tags))
    content = {
        "vault_bucket": vault.bucket,
        "vault_region": vault.region,
        "vault_key_arn": vault.key_arn,
        "key_arn": foundation.keys[region],
        "forensic_account": settings.forensic_account or foundation.estate.deployment.account,
        **prepared.manifest(),
        **examined.manifest(region),
    }
    args = ManifestArgs(region, content, documents.pins, settings.responder_cidrs, settings.tags)
    return Manifest(f"manifest-{region}", args)
