"""Refuses settings that don't fit the account they are for, before anything is registered."""

from __future__ import annotations

from components.iam import TRUST_LIMIT, people_trust
from contract import is_own_vault
from stacks.config import Settings
from stacks.estate import Estate
from stacks.reading import BadConfig

NETWORKS = 60
"""Rules that a security group takes per direction and family (EC2 quotas)."""
NETWORKS_TEXT = 2000
"""Characters of networks that fit into a manifest beside all else that it names."""
WRITERS = 150
"""Accounts that fit, three times over, into a bucket policy of 20 KB (S3 user guide)."""


def agree(settings: Settings, estate: Estate) -> None:
    """BadConfig for the first setting that does not fit."""
    _partitions(settings, estate)
    _external_id(settings, estate)
    _sizes(settings, estate)
    _vault(settings, estate)
    _accounts(settings, estate)


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
            if arn.split(":")[1] != estate.deployment.partition:
                raise BadConfig(
                    f"cordon:{key}", f"{arn} is not of the partition {estate.deployment.partition}"
                )


def _external_id(settings: Settings, estate: Estate) -> None:
    access = settings.access
    people = (*access.responders, *access.analysts, *access.break_glass)
    outside = [p for p in people if p.split(":")[4] != estate.deployment.account]
    if outside and not access.external_id:
        raise BadConfig(
            "cordon:externalId",
            f"{outside[0]} is of another account than {estate.deployment.account}; set one with "
            "`pulumi config set --secret cordon:externalId …` and give it to the responders",
        )


def _sizes(settings: Settings, estate: Estate) -> None:
    """Refuses what AWS would refuse half-way, because it is too long."""
    access, cidrs = settings.access, settings.responder_cidrs
    if len(cidrs) > NETWORKS or sum(len(c) + 3 for c in cidrs) > NETWORKS_TEXT:
        raise BadConfig(
            "cordon:responderCidrs",
            f"{len(cidrs)} networks are too many; name fewer, larger ones, at most {NETWORKS}",
        )
    if len(settings.vault.writers) > WRITERS:
        raise BadConfig(
            "cordon:vaultWriters",
            f"more than {WRITERS} accounts don't fit a bucket policy; set it to [organization]",
        )
    for key, principals in (
        ("responders", access.responders),
        ("analysts", access.analysts),
        ("breakGlass", access.break_glass),
    ):
        if not principals:
            continue
        text = people_trust(
            estate.deployment, principals, require_mfa=True, external_id=access.external_id
        )
        if len(text.replace(" ", "")) > TRUST_LIMIT:
            raise BadConfig(
                f"cordon:{key}",
                f"{len(principals)} principals don't fit into a trust policy of {TRUST_LIMIT} "
                "characters; name a role that they assume, or their account's root",
            )


def _vault(settings: Settings, estate: Estate) -> None:
    vault = settings.vault
    if not vault.bucket and (vault.region or settings.home) not in estate.enabled:
        raise BadConfig(
            "cordon:vaultRegion",
            f"{vault.region or settings.home} is not enabled in this account; choose another",
        )
    account = estate.deployment.account
    if vault.former and not any(is_own_vault(vault.former, account, r) for r in estate.enabled):
        raise BadConfig(
            "cordon:formerVault",
            f"{vault.former} is not a vault of {account} in a region that is enabled",
        )
    if vault.key_arn and vault.key_arn.split(":")[3] != vault.region:
        raise BadConfig("cordon:vaultKeyArn", f"is not a key of {vault.region}, the vault's region")


def _accounts(settings: Settings, estate: Estate) -> None:
    if estate.deployment.account in settings.vault.writers:
        raise BadConfig(
            "cordon:vaultWriters",
            f"{estate.deployment.account} is this account, which writes anyway; remove it",
        )
