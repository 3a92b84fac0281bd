"""What may be used where nothing is pinned: what all regions agree on and is safe by construction.

That is a vault with the conventional name in this very account, this account's own key behind the
kit's alias, and the kit's own profiles and documents by computed name and hash. No SSH into an
isolated host, and no account but this one to share evidence with: those would be the account's
word alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

from contract import (
    KEY_ALIAS,
    VERSION,
    WORKSTATION_PROFILE,
    Manifest,
    is_own_vault,
)
from responders.aws import Aws, code_of, explain
from responders.trust.isolated_profiles import PROFILES
from responders.trust.judgement import Judgement, documents, shown
from responders.trust.survey import Survey

REGIONAL = {"key_arn", "forensic_vpc", "subnets", "workstation_group", "endpoint_group"}
"""Fields that differ from region to region."""
IMPORT = "`cordon trust import` pins it"


@dataclass(frozen=True)
class Here:
    """Where a response takes place, and the regions that the account has enabled."""

    aws: Aws
    region: str
    account: str
    partition: str
    regions: tuple[str, ...]


def judge(here: Here, survey: Survey) -> Judgement:
    """What may be used in a region, from what all regions' manifests say."""
    tampering = [*damage(survey), *disagreements(survey), *_not_computed(survey)]
    notes = [f"the manifest of {r} was not compared: {why}" for r, why in survey.unread.items()]
    if here.region in survey.absent and survey.manifests:
        notes.append(f"{here.region} has no manifest, though {len(survey.manifests)} regions have")
    agreed = _agreed(survey)
    own = survey.manifests.get(here.region, Manifest())
    kept = replace(
        agreed,
        **{name: getattr(own, name) for name in REGIONAL},
        responder_cidrs=(),
        documents=documents() if agreed.documents else {},
        isolated_profiles=PROFILES if agreed.isolated_profiles else {},
        workstation_profile=own.workstation_profile and WORKSTATION_PROFILE,
        kit=VERSION,
    )
    if agreed.responder_cidrs:
        notes.append(f"SSH from responders' networks is not used: nothing pins them; {IMPORT}")
    without_vault = "; ".join(line for line in disagreements(survey) if " vault_" in line)
    for drop in (_foreign_vault, _foreign_key, _foreign_account):
        kept, wrong, unpinned = drop(here, kept)
        tampering += wrong
        notes += unpinned
        if drop is _foreign_vault:
            without_vault = "; ".join(filter(None, (without_vault, *unpinned)))
    return Judgement(kept, tuple(tampering), tuple(notes), without_vault)


def damage(survey: Survey) -> Iterator[str]:
    """A line for each manifest that is there and is not one."""
    for region, why in survey.damaged.items():
        yield f"the manifest of {region} is not readable, so it is not used: {why}"


def disagreements(survey: Survey) -> Iterator[str]:
    """A line for each field that is the same wherever `pulumi up` wrote it, and now is not."""
    for name in _disputed(survey.manifests.values()):
        says: dict[str, list[str]] = {}
        for region, manifest in survey.manifests.items():
            says.setdefault(shown(getattr(manifest, name)), []).append(region)
        told = "; ".join(f"{value} in {_some(regions)}" for value, regions in says.items())
        yield f"the regions' manifests disagree on {name}, so it is not used: {told}"


def _disputed(manifests: Iterable[Manifest]) -> list[str]:
    shared = [f.name for f in fields(Manifest) if f.name not in REGIONAL | {"workstation_profile"}]
    texts = {name: {shown(getattr(m, name)) for m in manifests} for name in shared}
    return [name for name, values in texts.items() if len(values) > 1]


def _agreed(survey: Survey) -> Manifest:
    """What all manifests say alike; what they dispute, and what is of one region, is empty."""
    if not survey.manifests:
        return Manifest()
    any_ = next(iter(survey.manifests.values()))
    disputed = set(_disputed(survey.manifests.values()))
    # Whose vault it is hangs together: half a vault would be somebody's invention.
    vault = {"vault_bucket", "vault_region", "vault_key_arn"}
    unused = REGIONAL | disputed | (vault if disputed & vault else set())
    return Manifest(
        **{f.name: getattr(any_, f.name) for f in fields(Manifest) if f.name not in unused}
    )


def _not_computed(survey: Survey) -> Iterator[str]:
    """A line for each name or hash that is not what this version of the kit has."""
    for region, manifest in survey.manifests.items():
        if set(manifest.isolated_profiles.items()) - set(PROFILES.items()):
            value = shown(dict(manifest.isolated_profiles))
            yield f"the manifest of {region} names other profiles than the kit's: {value}"
        if manifest.workstation_profile not in ("", WORKSTATION_PROFILE):
            value = shown(manifest.workstation_profile)
            yield f"the manifest of {region} names another workstation profile: {value}"
        if manifest.kit == VERSION and manifest.documents:
            for name, pin in documents().items():
                if manifest.documents.get(name) != pin:
                    yield f"the manifest of {region} has another hash or name for {name}"


Dropped = tuple[Manifest, list[str], list[str]]
"""The manifest without what can't be used, what is wrong, and what merely is not pinned."""


def _foreign_vault(here: Here, kept: Manifest) -> Dropped:
    bucket, region = kept.vault_bucket, kept.vault_region or here.region
    if not bucket or (region in here.regions and is_own_vault(bucket, here.account, region)):
        return kept, [], []
    told = f"the vault {shown(bucket)} is not this account's own, and is not used: nothing pins it"
    return (
        replace(kept, vault_bucket="", vault_region="", vault_key_arn=""),
        [],
        [f"{told}; {IMPORT}"],
    )


def _foreign_key(here: Here, kept: Manifest) -> Dropped:
    """The key that the kit's alias stands for in this account and region, or none."""
    if not kept.key_arn:
        return kept, [], []
    none = replace(kept, key_arn="")
    own = f"arn:{here.partition}:kms:{here.region}:{here.account}:key/"
    if not kept.key_arn.startswith(own):
        return none, [f"the manifest names a key of elsewhere: {shown(kept.key_arn)}"], []
    try:
        client = here.aws.client("kms", here.region)
        aliased = str(client.describe_key(KeyId=KEY_ALIAS)["KeyMetadata"]["Arn"])
    except Exception as error:
        if code_of(error) != "NotFoundException":
            return (
                none,
                [],
                [f"the evidence key is not used, for it could not be checked: {explain(error)}"],
            )
        aliased = "no key"
    if aliased == kept.key_arn:
        return kept, [], []
    told = f"the manifest names the key {shown(kept.key_arn)}, and {KEY_ALIAS} is {aliased}"
    return none, [told], []


def _foreign_account(here: Here, kept: Manifest) -> Dropped:
    if kept.forensic_account in ("", here.account):
        return kept, [], []
    told = (
        f"evidence is not shared with account {shown(kept.forensic_account)}: nothing pins it as "
        f"the one that examines evidence; {IMPORT}"
    )
    return replace(kept, forensic_account=""), [], [told]


def _some(regions: list[str]) -> str:
    return ", ".join(regions) if len(regions) < 4 else f"{len(regions)} regions"
