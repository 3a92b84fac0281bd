"""The settings of a deployment: each read and validated before anything is registered.

`stacks/Pulumi.example.yaml` explains each setting to the person who writes it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi_aws as aws

from components.endpoints import Tier
from contract import (
    KEY_DELETION_DAYS_MIN,
    PROJECT,
    TAG_PREFIX,
    TAG_STACK,
    VAULT_PREFIX,
    VAULT_SUFFIX,
    WIDEST_RESPONDERS,
    canonical_cidr,
    is_wide,
)
from stacks.before import this_stack
from stacks.cidrs import SLOT_PREFIX
from stacks.organization_settings import Organization
from stacks.reading import BadConfig, Reading

STACKS = ("account", "forensics", "organization")
REGION = r"[a-z]{2,5}(-[a-z]+)+-\d{1,2}"
ACCOUNT = r"\d{12}"
STACK_NAME = r"[\w.-]+/[\w.-]+"
ORGANIZATION = "organization"
"""In `cordon:vaultWriters`: every account of `cordon:organizationId`."""
PRINCIPAL = r"arn:aws(-[a-z]+)*:iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)"
POLICY_ARN = r"arn:aws(-[a-z]+)*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+"
KEY_ARN = r"arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+"
VAULT = VAULT_PREFIX + r"[a-z0-9-]{3,50}"
WIDE_CIDRS = "dangerouslyWideResponderCidrs"
"""The setting that admits wide networks: isolated hosts then take SSH from all of them."""
LOG_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
"""What CloudWatch Logs takes (API reference, PutRetentionPolicy)."""
MAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
WHO = "the ARN of one user, role or account root, without wildcards"


@dataclass(frozen=True)
class Vault:
    """The evidence vault. `bucket` is empty when this deployment makes it.

    `former` is the one that this deployment made before `bucket` was set, and that it keeps.
    """

    bucket: str = ""
    former: str = ""
    region: str = ""
    key_arn: str = ""
    suffix: str = ""
    writers: tuple[str, ...] = ()
    mode: str = "governance"
    days: int = 365


@dataclass(frozen=True)
class Access:
    """Who may assume which role, and how. `external_id` is a secret."""

    responders: tuple[str, ...] = ()
    analysts: tuple[str, ...] = ()
    break_glass: tuple[str, ...] = ()
    require_mfa: bool = True
    external_id: str = field(default="", repr=False)
    boundary: str = ""
    session_hours: int = 4

    @property
    def readers(self) -> tuple[str, ...]:
        """Who may read evidence: the analysts, or the responders where none are named."""
        return self.analysts or self.responders


@dataclass(frozen=True)
class Network:
    """The forensic VPCs: where, how warm, out of which addresses."""

    regions: tuple[str, ...] = ()
    tier: Tier = Tier.COLD
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    base: str = "10.213.0.0/16"
    slots: Mapping[str, int] = field(default_factory=dict)

    def tier_of(self, region: str) -> Tier:
        """The region's own tier, or the one for all."""
        return self.tiers.get(region, self.tier)


@dataclass(frozen=True)
class Settings:
    """One deployment's settings. `home` is the provider's region.

    `former_stack` prepared this account before, under another name of this stack. `tags` go onto
    everything, the stack's own name among them.
    """

    home: str
    stacks: tuple[str, ...] = ("account",)
    former_stack: str = ""
    regions: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    access: Access = Access()
    responder_cidrs: tuple[str, ...] = ()
    vault: Vault = Vault()
    network: Network = Network()
    forensic_account: str = ""
    evidence_accounts: tuple[str, ...] = ()
    trail_keys: tuple[str, ...] = ()
    organization_id: str = ""
    log_days: int = 400
    key_deletion_days: int = 30
    ebs_default_encryption: bool = False
    watch: str = "off"
    watch_emails: tuple[str, ...] = ()
    organization: Organization = field(default_factory=Organization)
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Settings:
        """From the stack's configuration. BadConfig names the first setting that is wrong."""
        reading = Reading(PROJECT)
        settings = cls(
            home=_home(),
            stacks=_stacks(reading),
            former_stack=reading.text(
                "formerStack", pattern=STACK_NAME, meaning="a stack's name (<project>/<stack>)"
            ),
            regions=reading.texts("regions", pattern=REGION, meaning="a region"),
            exclude=reading.texts("exclude", pattern=REGION, meaning="a region"),
            access=_access(reading),
            responder_cidrs=_cidrs(reading, "responderCidrs"),
            vault=_vault(reading),
            network=_network(reading),
            forensic_account=_account(reading, "forensicAccount"),
            evidence_accounts=reading.texts(
                "evidenceAccounts",
                pattern=f"{ACCOUNT}|{ORGANIZATION}",
                meaning="a 12-digit account id, nor the word organization",
            ),
            trail_keys=reading.texts("trailKeys", pattern=KEY_ARN, meaning="the ARN of a KMS key"),
            organization_id=reading.text(
                "organizationId", pattern="o-[a-z0-9]{10,32}", meaning="an organization's id (o-…)"
            ),
            log_days=_log_days(reading),
            key_deletion_days=reading.number(
                "keyDeletionDays", 30, low=KEY_DELETION_DAYS_MIN, high=30
            ),
            ebs_default_encryption=reading.flag("ebsDefaultEncryption", False),
            watch=reading.choice("watch", ("off", "queue", "topic"), "off"),
            watch_emails=reading.texts("watchEmails", pattern=MAIL, meaning="a mail address"),
            organization=Organization.read(reading),
            tags={**_tags(reading), TAG_STACK: this_stack()},
        )
        _agree(reading, settings)
        reading.refuse_unknown()
        return settings


def _home() -> str:
    home = aws.config.region
    if not home:
        raise BadConfig("aws:region", "set it to the region where the vault is to stand")
    return str(home)


def _stacks(reading: Reading) -> tuple[str, ...]:
    stacks = reading.texts("stacks", default=("account",))
    if unknown := sorted(set(stacks) - set(STACKS)):
        raise reading.bad("stacks", f"{unknown[0]!r} is unknown; use some of {', '.join(STACKS)}")
    if not stacks:
        raise reading.bad("stacks", f"name at least one of {', '.join(STACKS)}")
    return stacks


def _access(reading: Reading) -> Access:
    return Access(
        responders=reading.texts("responders", pattern=PRINCIPAL, meaning=WHO),
        analysts=reading.texts("analysts", pattern=PRINCIPAL, meaning=WHO),
        break_glass=reading.texts("breakGlass", pattern=PRINCIPAL, meaning=WHO),
        require_mfa=reading.flag("requireMfa", True),
        external_id=reading.secret(
            "externalId",
            pattern=r"[\w+=,.@:/-]{16,1224}",
            meaning="an external id: 16 to 1,224 of letters, digits and +=,.@:/-",
        ),
        boundary=reading.text(
            "permissionsBoundary", pattern=POLICY_ARN, meaning="the ARN of an IAM policy"
        ),
        session_hours=reading.number("sessionHours", 4, low=1, high=12),
    )


def _vault(reading: Reading) -> Vault:
    return Vault(
        bucket=reading.text(
            "vaultBucket", pattern=VAULT, meaning=f"the name of a vault ({VAULT_PREFIX}…)"
        ),
        former=reading.text(
            "formerVault", pattern=VAULT, meaning=f"the name of a vault ({VAULT_PREFIX}…)"
        ),
        region=reading.text("vaultRegion", pattern=REGION, meaning="a region"),
        key_arn=reading.text("vaultKeyArn", pattern=KEY_ARN, meaning="the ARN of a KMS key"),
        suffix=reading.text(
            "vaultSuffix", pattern=VAULT_SUFFIX, meaning="up to 13 of a-z, 0-9 and -"
        ),
        writers=reading.texts(
            "vaultWriters",
            pattern=f"{ACCOUNT}|{ORGANIZATION}",
            meaning="a 12-digit account id, nor the word organization",
        ),
        mode=reading.choice("retentionMode", ("governance", "compliance"), "governance"),
        days=reading.number("retentionDays", 365, low=1, high=36500),
    )


def _network(reading: Reading) -> Network:
    tiers = [tier.value for tier in Tier]
    chosen = reading.table("tiers", str)
    for region, tier in chosen.items():
        if tier not in tiers:
            raise reading.bad("tiers", f"{region}: {tier!r} is unknown; use {', '.join(tiers)}")
    return Network(
        regions=reading.texts("forensicRegions", pattern=REGION, meaning="a region"),
        tier=Tier(reading.choice("tier", tiers, Tier.COLD)),
        tiers={region: Tier(tier) for region, tier in chosen.items()},
        base=_base(reading),
        slots=_slots(reading),
    )


def _slots(reading: Reading) -> dict[str, int]:
    slots = reading.table("cidrSlots", int)
    for region in slots:
        if not re.fullmatch(REGION, region):
            raise reading.bad("cidrSlots", f"{region!r} is not a region")
    return slots


def _base(reading: Reading) -> str:
    text = reading.text("cidrBase", "10.213.0.0/16")
    try:
        base = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise reading.bad("cidrBase", f"{error}; write it like 10.213.0.0/16") from error
    if not base.is_private or not 8 <= base.prefixlen <= SLOT_PREFIX:
        raise reading.bad(
            "cidrBase", f"{text} is not a private network of /8 to /{SLOT_PREFIX}; choose another"
        )
    return str(base)


def _cidrs(reading: Reading, key: str) -> tuple[str, ...]:
    cidrs: list[str] = []
    reading.flag(WIDE_CIDRS, False)  # known, also where no network is named
    for text in reading.texts(key):
        try:
            cidr = canonical_cidr(text)
        except ValueError as error:
            raise reading.bad(key, f"{error}; write it like 198.51.100.0/24") from error
        if is_wide(cidr) and not reading.flag(WIDE_CIDRS, False):
            raise reading.bad(
                key,
                f"{cidr} is wider than /{WIDEST_RESPONDERS[4]} (IPv4) or /{WIDEST_RESPONDERS[6]} "
                "(IPv6), and every host in it could reach what is isolated; name the responders' "
                f"own networks, or set cordon:{WIDE_CIDRS} to true",
            )
        cidrs.append(cidr)
    if len(set(cidrs)) != len(cidrs):
        raise reading.bad(key, "names a network twice; remove one of the two")
    return tuple(cidrs)


def _log_days(reading: Reading) -> int:
    days = reading.number("logDays", 400, low=1, high=3653)
    if days not in LOG_DAYS:
        raise reading.bad(
            "logDays",
            f"CloudWatch Logs keeps no logs for {days} days; it does for "
            f"{', '.join(str(d) for d in LOG_DAYS)}",
        )
    return days


def _account(reading: Reading, key: str) -> str:
    return reading.text(key, pattern=ACCOUNT, meaning="a 12-digit account id")


def _tags(reading: Reading) -> dict[str, str]:
    tags = reading.table("tags", str)
    for key in tags:
        if key.lower().startswith((TAG_PREFIX, "aws:")) or not 1 <= len(key) <= 128:
            raise reading.bad("tags", f"{key!r} can't be set here; choose another key")
    return tags


def _agree(reading: Reading, settings: Settings) -> None:
    """Refuses settings that are each fine and don't go together."""
    access, vault = settings.access, settings.vault
    if "account" in settings.stacks and not access.responders:
        raise reading.bad(
            "responders", "name who may assume the responder role, by ARN; nobody can respond yet"
        )
    if roles := [p for p in access.break_glass if ":role/" in p]:
        raise reading.bad(
            "breakGlass",
            f"{roles[0]} is a role, and a role's session never carries MFA, which is always "
            "demanded here; name users",
        )
    own_vault = vault.former or not vault.bucket
    if own_vault and {"account", "forensics"} & {*settings.stacks} and not access.readers:
        raise reading.bad("analysts", "name who may read evidence, by ARN")
    roles = [p for p in (*access.responders, *access.analysts) if ":role/" in p]
    if access.require_mfa and roles:
        raise reading.bad(
            "requireMfa",
            f"{roles[0]} is a role, and a role's session never carries MFA; set this to false "
            "and have your identity provider demand MFA, or name users only",
        )
    if not access.require_mfa and not access.external_id:
        raise reading.bad(
            "externalId", "set it, because without MFA it is all that guards the roles"
        )
    if vault.bucket and not (vault.region and vault.key_arn):
        missing = "vaultKeyArn" if vault.region else "vaultRegion"
        raise reading.bad(missing, "set it too, because vaultBucket names a vault made elsewhere")
    if vault.key_arn and not vault.bucket:
        raise reading.bad("vaultKeyArn", "only goes with vaultBucket; a vault made here has a key")
    if vault.former and not vault.bucket:
        raise reading.bad("formerVault", "only goes with vaultBucket, where evidence goes now")
    if vault.bucket and vault.writers:
        raise reading.bad("vaultWriters", "set it where the vault is made, not here")
    if ORGANIZATION in vault.writers and not settings.organization_id:
        raise reading.bad("organizationId", "set it, because vaultWriters names the organization")
    if ORGANIZATION in settings.evidence_accounts and not settings.organization_id:
        raise reading.bad(
            "organizationId", "set it, because evidenceAccounts names the organization"
        )
    if settings.watch_emails and settings.watch != "topic":
        raise reading.bad("watchEmails", "needs cordon:watch to be topic")
    if contradictory := sorted(set(settings.regions) & set(settings.exclude)):
        raise reading.bad(
            "exclude", f"{contradictory[0]} is also in cordon:regions; remove one of the two"
        )
