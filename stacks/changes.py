"""Refuses a change of mind that would lose something, before anything is registered.

Pulumi would refuse some of it as well, half-way and by the names of resources; here each refusal
says which setting to write instead (docs/deploy.md, "Change your mind").
"""

from __future__ import annotations

from contract import vault_bucket
from stacks.before import Before, this_stack
from stacks.config import Settings
from stacks.reading import BadConfig


def refuse_second_stack(settings: Settings, before: Before) -> None:
    """BadConfig when another stack prepared the account.

    Names such as those of the roles are the account's only ones, so a second stack would fail
    half-way and leave a paid key in each region.
    """
    if others := sorted(before.stacks - {settings.former_stack, this_stack()}):
        raise BadConfig(
            "cordon:formerStack",
            f"this account is prepared by stack {others[0]}, and one stack prepares an account: "
            f"use that one, or, if {this_stack()} is the same one under a new name, set this to "
            f"{others[0]}",
        )


def refuse_lost_vault(settings: Settings, before: Before, account: str) -> None:
    """BadConfig when the vault that the account has would be declared no more, or elsewhere."""
    vault = settings.vault
    if not before.vault or before.vault == vault.former:
        return
    if vault.bucket:
        raise BadConfig(
            "cordon:formerVault",
            f"this account has a vault of its own with evidence in it: set this to {before.vault}, "
            "so that it stays, locked and readable by the analysts, while new evidence goes to "
            f"{vault.bucket}",
        )
    declared = vault_bucket(account, vault.region or settings.home, vault.suffix)
    if declared == before.vault:
        return
    raise BadConfig(
        _moving_setting(settings, before.vault, account),
        f"this account's vault is {before.vault}, and evidence can't be moved: these settings name "
        f"it {declared}. {_remedy(before.vault, account)}",
    )


def _moving_setting(settings: Settings, bucket: str, account: str) -> str:
    """The setting that names another vault: its suffix, its region, or what that defaults to."""
    region = settings.vault.region or settings.home
    if bucket.startswith(vault_bucket(account, region)):
        return "cordon:vaultSuffix"
    return "cordon:vaultRegion" if settings.vault.region else "aws:region"


def _remedy(bucket: str, account: str) -> str:
    ending = bucket.removeprefix(vault_bucket(account, ""))
    return (
        f"Set cordon:vaultRegion and cordon:vaultSuffix so that together they make {ending!r}; "
        "aws:region may then be any"
    )


def refuse_disabled_regions(settings: Settings, before: Before, enabled: frozenset[str]) -> None:
    """BadConfig when a region that was prepared is not enabled any more, unless it is excluded.

    Nothing in such a region can be read or deleted, so `up` would fail there each time.
    """
    lost = sorted(before.regions - enabled - frozenset(settings.exclude))
    if lost:
        names = ", ".join(lost)
        raise BadConfig(
            "cordon:exclude",
            f"{names} was prepared and is not enabled any more, so what is there can't be deleted. "
            "Enable it again, add it to this setting, run `pulumi up`, and disable it then. If it "
            'has to stay disabled, take what is there out of the state (docs/deploy.md, "Change '
            'your mind"), and add it to this setting',
        )
