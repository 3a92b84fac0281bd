"""A document that is not pinned by its hash can be replaced by whoever may write documents."""

from __future__ import annotations

import hashlib

from contract import Purpose
from policies.rules import Conf, Plan, Unknown, first, manifest, purpose, rule


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """The manifest of a document's region has the SHA-256 of its content."""
    if purpose(conf) != Purpose.DOCUMENT:
        return None
    name, content = first(conf, "name"), first(conf, "content")
    if not name or not content:
        return [Unknown("its name or content is not known in this plan")]
    prepared = manifest(first(conf, "region"), plan)
    if isinstance(prepared, str):
        return [prepared]
    if name not in prepared.documents:
        return [f"the manifest does not pin {name}"]
    if prepared.documents[name].sha256 != hashlib.sha256(str(content).encode()).hexdigest():
        return [f"the manifest pins another content of {name}"]
    return []


check = rule(
    "CKV_CORDON_14",
    "Every SSM document is pinned by its hash in the manifest",
    ["aws_ssm_document"],
    "SUPPLY_CHAIN",
    judge,
)
