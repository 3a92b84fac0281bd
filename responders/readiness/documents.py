"""The prepared SSM documents are there, and are the ones that the manifest pins."""

from __future__ import annotations

from collections.abc import Iterator

from contract import Document
from responders.aws import code_of
from responders.permissions import allow
from responders.readiness import FAIL, OK, Finding, Place

SCOPE = "region"
PERMISSIONS = (
    allow(
        "ssm:DescribeDocument",
        on="arn:{partition}:ssm:*:{account}:document/cordon-*",
        because="compares the prepared documents with their pins",
    ),
)


def check(place: Place) -> Iterator[Finding]:
    """A finding for each document that the kit has; silent where nothing is prepared."""
    manifest = place.manifest
    if manifest is None:
        return
    for document in Document:
        pin = manifest.documents.get(document.value)
        yield _one(place, document.value, pin.sha256 if pin else "")


def _one(place: Place, name: str, pinned: str) -> Finding:
    fix = "Run `pulumi up`; if the document was changed, find out who did it (CloudTrail)."
    if not pinned:
        return Finding("documents", FAIL, f"{name} is not prepared", "Run `pulumi up`.")
    try:
        found = place.client("ssm").describe_document(Name=name)["Document"]
    except Exception as error:
        if code_of(error) != "InvalidDocument":
            raise
        return Finding("documents", FAIL, f"{name} is pinned and is not there", fix)
    if found.get("Hash") != pinned:
        return Finding("documents", FAIL, f"{name} is not the pinned version", fix)
    return Finding("documents", OK, f"{name} is the pinned version")
