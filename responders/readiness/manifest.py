"""The region has a manifest that this version reads."""

from __future__ import annotations

from collections.abc import Iterator

from contract import MANIFEST_PARAMETER, VERSION
from responders import prepared
from responders.readiness import FAIL, OK, WARN, Finding, Place

SCOPE = "region"
PERMISSIONS = prepared.PERMISSIONS


def check(place: Place) -> Iterator[Finding]:
    """There, readable, and of this version."""
    try:
        manifest = place.manifest
    except ValueError as error:
        yield Finding(
            "manifest", FAIL, f"{MANIFEST_PARAMETER} is not readable: {error}", "Run `pulumi up`."
        )
        return
    if manifest is None:
        yield Finding(
            "manifest",
            FAIL,
            f"nothing is prepared: there is no {MANIFEST_PARAMETER}",
            "Add the region to the stack's config and run `pulumi up`.",
        )
        return
    if manifest.kit != VERSION:
        yield Finding(
            "manifest",
            WARN,
            f"prepared by version {manifest.kit}, and this is {VERSION}",
            "Run `pulumi up` with this version.",
        )
    else:
        yield Finding("manifest", OK, f"prepared by version {manifest.kit}")
    judged = place.trust.judgement()
    for line in judged.tampering:
        fix = "Run `pulumi up --refresh`, and find out who wrote it (CloudTrail)."
        yield Finding("manifest", FAIL, line, fix)
    for note in judged.notes:
        yield Finding("manifest", WARN, note, "`cordon trust import` keeps what was prepared.")
