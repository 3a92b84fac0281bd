"""`pulumi up` exports the trust document: whole, canonical, and the same as what it prepared."""

from __future__ import annotations

import hashlib

import pytest

from contract import (
    DOCUMENT_SHA256,
    RESPONDER_ROLE,
    Document,
    Manifest,
    TrustDocument,
    is_wide,
    policy_digest,
)
from tests.preparation import ACCOUNT, EXTERNAL_ID, OTHER, prepare, user


def exported(**config: object) -> tuple[TrustDocument, str]:
    exports = prepare(config).exports
    text = exports["trustDocument"]
    assert exports["trustDigest"] == hashlib.sha256(text.encode()).hexdigest()
    document = TrustDocument.from_json(text)
    assert document.to_json() == text
    assert document.digest == exports["trustDigest"]
    return document, text


def test_it_says_what_each_region_has() -> None:
    program = prepare({"stacks": ["account", "forensics"]})
    document = TrustDocument.from_json(program.exports["trustDocument"])
    parameters = program.of_type("aws:ssm/parameter:Parameter")
    assert {p.inputs["region"] for p in parameters} == set(document.regions)
    for parameter in parameters:
        region = parameter.inputs["region"]
        written = Manifest.from_json(parameter.inputs["insecureValue"])
        assert document.regions[region].manifest == written
        assert written.key_arn == program.exports["keys"][region]
        assert document.regions[region].groups == program.exports["groups"][region] != {}


def test_it_says_whose_the_vault_is_and_who_may_assume_what() -> None:
    alice, carol = user("alice"), user("carol", OTHER)
    document, text = exported(
        analysts=[carol],
        breakGlass=[alice],
        externalId=EXTERNAL_ID,
        retentionMode="compliance",
        retentionDays=90,
    )
    assert (document.account, document.vault_account) == (ACCOUNT, ACCOUNT)
    assert (document.retention_mode, document.retention_days) == ("compliance", 90)
    assert document.people == {
        "cordon-responder": (alice,),
        "cordon-analyst": (carol,),
        "cordon-break-glass": (alice,),
    }
    assert EXTERNAL_ID not in text


def test_it_pins_what_the_generated_policies_mean() -> None:
    program = prepare({"stacks": ["account", "forensics"], "breakGlass": [user("alice")]})
    pinned = TrustDocument.from_json(program.exports["trustDocument"]).policies
    responder = [
        p.inputs["policy"]
        for p in program.of_type("aws:iam/policy:Policy")
        if p.inputs["name"].startswith(RESPONDER_ROLE)
    ]
    assert pinned["role cordon-responder"] == policy_digest(reversed(responder))
    assert pinned["role cordon-responder"] != policy_digest(responder[1:])
    for name in ("analyst", "break-glass", "workstation"):
        [inline] = [
            p.inputs["policy"]
            for p in program.of_type("aws:iam/rolePolicy:RolePolicy")
            if p.inputs["name"] == f"cordon-{name}"
        ]
        assert pinned[f"role cordon-{name}"] == policy_digest([inline])
    assert {name.split()[0] for name in pinned} == {"role", "bucket", "key"}


def test_a_vault_made_elsewhere_is_of_the_account_of_its_key() -> None:
    document, _ = exported(
        vaultBucket=f"cordon-vault-{OTHER}-eu-west-1",
        vaultRegion="eu-west-1",
        vaultKeyArn=f"arn:aws:kms:eu-west-1:{OTHER}:key/1",
    )
    assert (document.vault_account, document.retention_days) == (OTHER, 0)
    assert document.people.keys() == {"cordon-responder"}


def test_the_documents_hashes_are_those_that_responders_compute() -> None:
    from components.documents import sha256

    computed = {document: sha256(document) for document in Document}
    assert computed == DOCUMENT_SHA256, f"put these into contract.DOCUMENT_SHA256: {computed}"


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"account": "1"},
        {"partition": "other"},
        {"retention_days": "9"},
        {"regions": {}},
        {"regions": {"eu-west-1": {"groups": {}}}},
        {"regions": {"eu-west-1": {"manifest": {"vault_bucket": ["x"]}}}},
        {"people": []},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_no_trust_document_is_refused(change: dict[str, object]) -> None:
    import json

    document, text = exported()
    with pytest.raises(ValueError, match=r"\w"):
        TrustDocument.from_json(json.dumps({**json.loads(text), **change}))
    with pytest.raises(ValueError, match="nested"):
        TrustDocument.from_json("[" * 100_000)
    assert TrustDocument.from_json(json.dumps(json.loads(text), indent=2)) == document


@pytest.mark.parametrize(
    ("cidr", "wide"),
    [
        ("198.51.0.0/16", False),
        ("198.50.0.0/15", True),
        ("0.0.0.0/0", True),
        ("2001:db8::/48", False),
        ("2001:db8::/47", True),
        ("::/0", True),
    ],
)
def test_how_wide_a_responders_network_may_be(cidr: str, wide: bool) -> None:
    assert is_wide(cidr) is wide


def test_a_wide_network_is_taken_when_its_danger_is_named() -> None:
    document, _ = exported(responderCidrs=["10.0.0.0/8"], dangerouslyWideResponderCidrs=True)
    assert {r.manifest.responder_cidrs for r in document.regions.values()} == {("10.0.0.0/8",)}
