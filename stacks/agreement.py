"""Refuses settings that don't fit the account they are for, before anything is registered."""

from __future__ import annotations

from stacks.config import Settings
from stacks.estate import Estate
from stacks.reading import BadConfig


def agree(settings: Settings, estate: Estate) -> None:
    """BadConfig for the first setting that does not fit."""
    _partitions(settings, estate)
    _external_id(settings, estate)
    _vault(settings, estate)
    _accounts(settings, estate)
    for region, zones in estate.zones.items():
        if not zones:
            raise BadConfig("cordon:forensicRegions", f"{region} has no zone to use; leave it out")


def _partitions(settings: Settings, estate: Estate) -> None:
    access = settings.access
    for key, arns in (
        ("responders", access.responders),
        ("analysts", access.analysts),
        ("breakGlass", access.break_glass),
        ("permissionsBoundary", (access.boundary,) if access.boundary else ()),
        ("vaultKeyArn", (settings.vault.key_arn,) if settings.vault.key_arn else ()),
    ):
        for arn in arns:
            if arn.split(":")[1] != estate.place.partition:
                raise BadConfig(
                    f"cordon:{key}", f"{arn} is not of the partition {estate.place.partition}"
                )


def _external_id(settings: Settings, estate: Estate) -> None:
    access = settings.access
    people = (*access.responders, *access.analysts, *access.break_glass)
    outside = [p for p in people if p.split(":")[4] != estate.place.account]
    if outside and not access.external_id:
        raise BadConfig(
            "cordon:externalId",
            f"{outside[0]} is of another account than {estate.place.account}; set one with "
            "`pulumi config set --secret cordon:externalId …` and give it to the responders",
        )


def _vault(settings: Settings, estate: Estate) -> None:
    vault = settings.vault
    if not vault.bucket and (vault.region or settings.home) not in estate.enabled:
        raise BadConfig(
            "cordon:vaultRegion",
            f"{vault.region or settings.home} is not enabled in this account; choose another",
        )
    if vault.key_arn and vault.key_arn.split(":")[3] != vault.region:
        raise BadConfig("cordon:vaultKeyArn", f"is not a key of {vault.region}, the vault's region")


def _accounts(settings: Settings, estate: Estate) -> None:
    if estate.place.account in settings.vault.writers:
        raise BadConfig(
            "cordon:vaultWriters",
            f"{estate.place.account} is this account, which writes anyway; remove it",
        )
