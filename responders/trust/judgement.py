"""What of a region's preparation may be used, and what is wrong with what the account says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

from contract import (
    DOCUMENT_SHA256,
    MANIFEST_PARAMETER,
    VERSION,
    DocumentPin,
    Manifest,
    Purpose,
    Rules,
    TrustDocument,
    group_rules,
)

SHOWN = 160
"""Characters of a value that are shown: whoever wrote it chose its length."""


@dataclass(frozen=True)
class Judgement:
    """`manifest` holds only what may be used; an empty field may not, or is not prepared.

    `tampering` has a line for each thing that is not as `pulumi up` left it, which forbids exit 0;
    `notes` are lines that people should know all the same.
    """

    manifest: Manifest = field(default_factory=Manifest)
    tampering: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    without_vault: str = ""
    """Why a vault that the account names is not used; empty where it is, or none is named."""


def pinned(document: TrustDocument, region: str) -> Manifest:
    """What the trust document says of a region.

    In a region that it does not name, what is the same in all regions holds all the same.
    """
    if region in document.regions:
        return document.regions[region].manifest
    anywhere = document.regions[min(document.regions)].manifest
    return replace(
        anywhere,
        key_arn="",
        forensic_vpc="",
        subnets={},
        workstation_group="",
        endpoint_group="",
        workstation_profile="",
    )


def differences(expected: Manifest, actual: Manifest) -> Iterator[str]:
    """A line for each field in which the account's manifest differs from the pinned one."""
    for entry in fields(Manifest):
        was, now = getattr(expected, entry.name), getattr(actual, entry.name)
        if was != now:
            yield f"{MANIFEST_PARAMETER} says {entry.name} {shown(now)}, pinned is {shown(was)}"


def group_differences(expected: Rules, actual: Rules, group: str) -> Iterator[str]:
    """A line if a pinned group's rules are not as prepared."""
    if expected != actual:
        extra = sorted({*actual.ingress, *actual.egress} - {*expected.ingress, *expected.egress})
        what = ", ".join(f"{r.protocol} {r.from_port}-{r.to_port} {r.peer}" for r in extra[:3])
        yield f"{group} has rules that were not prepared" + (f": {what}" if what else " (fewer)")


def rules_of(document: TrustDocument, region: str, purpose: Purpose) -> Rules:
    """The rules that a pinned group of this purpose must have."""
    return group_rules(purpose, pinned(document, region).responder_cidrs)


def documents() -> dict[str, DocumentPin]:
    """The pins of the kit's documents, as this version computes them."""
    return {d.value: DocumentPin(d.value, DOCUMENT_SHA256[d]) for d in DOCUMENT_SHA256}


def with_computed(manifest: Manifest) -> Manifest:
    """The manifest with what need not be read from an account: names and hashes of documents."""
    return replace(manifest, documents=documents(), kit=VERSION)


def shown(value: object) -> str:
    def plain(item: object) -> object:
        return vars(item) if isinstance(item, DocumentPin) else list(item)  # type: ignore[call-overload]

    text = json.dumps(value, sort_keys=True, default=plain)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
