"""Compares an account with its trust document: manifests, isolation groups, vault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contract import Purpose, TrustDocument
from responders import prepared
from responders.aws import Aws, explain
from responders.trust.judgement import differences, group_differences, pinned, rules_of
from responders.trust.survey import survey
from responders.trust.unpinned import damage
from responders.trust.vault_proof import VaultClaim, faults_of

PATIENCE = 60.0
"""Seconds for all regions: nobody waits for a containment here."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as pinned. `unknown`: it could not be looked at."""

    region: str
    detail: str
    unknown: bool = False

    @property
    def status(self) -> str:
        """The word for it in the JSON document."""
        return "unknown" if self.unknown else "differs"


def check(aws: Aws, document: TrustDocument) -> list[Difference]:
    """Everything in the account that differs from the document; empty when nothing does."""
    groups = {r: aws.spawn(_groups, aws, document, r) for r in document.regions}
    vault = aws.spawn(_vault, aws, document)
    found = [*_manifests(aws, document)]
    for region, asked in groups.items():
        try:
            found += asked.result()
        except Exception as error:
            found.append(Difference(region, f"its groups can't be read: {explain(error)}", True))
    return [*found, *vault.result()]


def claim_of(document: TrustDocument) -> VaultClaim:
    """The vault as the document has it."""
    manifest = pinned(document, min(document.regions))
    return VaultClaim(
        manifest.vault_bucket,
        manifest.vault_region,
        document.vault_account,
        manifest.vault_key_arn,
        document.retention_days,
        document.retention_mode,
    )


def _manifests(aws: Aws, document: TrustDocument) -> Iterator[Difference]:
    read = survey(aws, document.regions, PATIENCE)
    for region, why in read.unread.items():
        yield Difference(region, f"its manifest can't be read: {why}", True)
    for region in read.absent:
        yield Difference(region, "its manifest is gone")
    for region, line in zip(read.damaged, damage(read), strict=True):
        yield Difference(region, line)
    for region, manifest in read.manifests.items():
        for line in differences(pinned(document, region), manifest):
            yield Difference(region, line)


def _groups(aws: Aws, document: TrustDocument, region: str) -> list[Difference]:
    groups = {group.id: group for group in prepared.groups(aws, region)}
    found = []
    for vpc, pair in document.regions[region].groups.items():
        for purpose, group_id in pair.items():
            if group_id not in groups:
                found.append(Difference(region, f"{group_id} ({purpose}, {vpc}) is gone"))
                continue
            rules = rules_of(document, region, Purpose(purpose))
            lines = group_differences(rules, groups[group_id].rules, group_id)
            found += [Difference(region, line) for line in lines]
    return found


def _vault(aws: Aws, document: TrustDocument) -> list[Difference]:
    claim = claim_of(document)
    if not claim.bucket:
        return []
    try:
        faults = list(faults_of(aws, claim))
    except Exception as error:
        told = f"the vault {claim.bucket} can't be looked at: {explain(error)}"
        return [Difference(claim.region, told, True)]
    return [Difference(claim.region, f"the vault {claim.bucket}: {fault}") for fault in faults]
