"""A document that is not pinned by its hash can be replaced by whoever may write documents."""

from __future__ import annotations

import hashlib

from contract import Purpose
from policies.checkov import Conf, Plan, Policy, first, manifest, purpose


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """The manifest of a document's region has the SHA-256 of its content."""
    if purpose(conf) != Purpose.DOCUMENT:
        return None
    name, content = first(conf, "name"), first(conf, "content")
    if not name or not content:
        return ["its name or content is not known in this plan"]
    prepared = manifest(first(conf, "region"), plan)
    if prepared is None or name not in prepared.documents:
        return [f"no manifest of its region pins {name}"]
    if prepared.documents[name].sha256 != hashlib.sha256(str(content).encode()).hexdigest():
        return [f"the manifest pins another content of {name}"]
    return []


check = Policy(
    "CKV_CORDON_14",
    "Every SSM document is pinned by its hash in the manifest",
    ["aws_ssm_document"],
    "SUPPLY_CHAIN",
    judge,
)
