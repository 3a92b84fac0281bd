"""Builds the stacks that the settings name, in the order in which they stand on each other."""

from __future__ import annotations

from typing import Any

from components.manifest import Manifest, ManifestArgs
from stacks.account import account
from stacks.config import Settings
from stacks.estate import survey
from stacks.foundation import Foundation, lay


async def build() -> dict[str, Any]:
    """Reads the settings, looks at the account, declares everything; returns the exports.

    Whatever is wrong with the settings is said (`BadConfig`) before anything is registered.
    """
    settings = Settings.read()
    estate = await survey(settings)
    foundation = lay(settings, estate)
    exports: dict[str, Any] = {
        "account": estate.place.account,
        "partition": estate.place.partition,
        "regions": list(estate.regions),
        "keys": dict(foundation.keys),
        "vault": {
            "bucket": foundation.vault.bucket,
            "region": foundation.vault.region,
            "keyArn": foundation.vault.key_arn,
        },
    }
    exports |= account(settings, foundation)
    return exports | {
        "manifests": {region: _manifest(settings, foundation, region) for region in estate.regions}
    }


def _manifest(settings: Settings, foundation: Foundation, region: str) -> Any:
    vault = foundation.vault
    content = {
        "vault_bucket": vault.bucket,
        "vault_region": vault.region,
        "vault_key_arn": vault.key_arn,
        "key_arn": foundation.keys[region],
        "forensic_account": settings.forensic_account or foundation.estate.place.account,
    }
    args = ManifestArgs(region, content, {}, settings.responder_cidrs, settings.tags)
    return Manifest(f"manifest-{region}", args).parameter
