"""The prepared SSM documents are there, and are the ones that responders would run."""

from __future__ import annotations

from collections.abc import Iterator

from contract import DOCUMENT_SHA256, Document
from responders.aws import code_of
from responders.permissions import allow
from responders.readiness import FAIL, OK, REFRESH, Finding, Place

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
    if not place.is_prepared:
        return
    pins = place.trust.manifest.documents
    for document in Document:
        pin = pins.get(document.value)
        # The account's word is not needed: the package knows what it would run.
        yield _compared(place, document.value, pin.sha256 if pin else DOCUMENT_SHA256[document])


def _compared(place: Place, name: str, expected: str) -> Finding:
    try:
        described = place.client("ssm").describe_document(Name=name)["Document"]
    except Exception as error:
        if code_of(error) != "InvalidDocument":
            raise
        return Finding("documents", FAIL, f"{name} is not there", REFRESH)
    if described.get("Hash") != expected:
        detail = f"{name} is not the version that responders would run"
        return Finding("documents", FAIL, detail, REFRESH)
    return Finding("documents", OK, f"{name} is the pinned version")
