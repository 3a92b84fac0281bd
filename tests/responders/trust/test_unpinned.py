"""Without a pin: only what all regions agree on, and what is safe by construction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract import DOCUMENT_SHA256, MANIFEST_PARAMETER, DocumentPin, Manifest
from lab.faults import Faults
from responders.aws import Access, Aws
from responders.trust import survey
from responders.trust.judgement import Judgement
from responders.trust.trust import NOTHING_PINNED, Trust
from responders.trust.vault_proof import VaultNotProven
from tests.responders.conftest import REGION, VAULT, Scenario
from tests.responders.pinning import ACCOUNT, unpin

SECOND, THIRD = "eu-central-1", "us-east-1"
WHOLE = Manifest(
    vault_bucket=VAULT,
    vault_region=REGION,
    isolated_profiles={"dark": "cordon-isolated-dark", "channel": "cordon-isolated-channel"},
    documents={d.value: DocumentPin(d.value, h) for d, h in DOCUMENT_SHA256.items()},
    forensic_account=ACCOUNT,
)


@pytest.fixture
def regions(scenario: Scenario) -> Scenario:
    """Three prepared regions that agree, each with its own key."""
    unpin()
    key = read(scenario, REGION).vault_key_arn
    write(scenario, REGION, replace(WHOLE, vault_key_arn=key, key_arn=key))
    for region in (SECOND, THIRD):
        own = scenario.lab.client("kms", region)
        arn = own.create_key()["KeyMetadata"]["Arn"]
        own.create_alias(AliasName="alias/cordon-evidence", TargetKeyId=arn)
        write(scenario, region, replace(WHOLE, vault_key_arn=key, key_arn=arn))
    return scenario


def read(scenario: Scenario, region: str) -> Manifest:
    parameter = scenario.lab.client("ssm", region).get_parameter(Name=MANIFEST_PARAMETER)
    return Manifest.from_json(parameter["Parameter"]["Value"])


def write(scenario: Scenario, region: str, manifest: Manifest) -> None:
    scenario.lab.client("ssm", region).put_parameter(
        Name=MANIFEST_PARAMETER, Type="String", Value=manifest.to_json(), Overwrite=True
    )


def trust() -> Trust:
    return Trust(Aws(Access(region=REGION), read_only=True), REGION)


def judge() -> Judgement:
    return trust().judgement()


def test_what_agrees_is_used_and_it_is_told_that_nothing_is_pinned(regions: Scenario) -> None:
    judged = judge()
    assert judged.tampering == ()
    assert judged.notes == (NOTHING_PINNED,)
    assert judged.manifest == read(regions, REGION)


TAMPERED: dict[str, object] = {
    "vault_bucket": "cordon-vault-123456789012-eu-west-1-x",
    "vault_region": SECOND,
    "vault_key_arn": f"arn:aws:kms:{REGION}:444455556666:key/1",
    "key_arn": f"arn:aws:kms:{REGION}:444455556666:key/1",
    "forensic_account": "444455556666",
    "workstation_profile": "admin",
    "isolated_profiles": {"dark": "admin", "channel": "cordon-isolated-channel"},
    "documents": {"cordon-memory": DocumentPin("cordon-memory", "0" * 64)},
    "responder_cidrs": ("0.0.0.0/0",),
    "kit": "9.9.9",
}


@pytest.mark.parametrize("where", [REGION, SECOND])
@pytest.mark.parametrize("name", TAMPERED)
def test_no_field_that_one_region_says_alone_is_used(
    regions: Scenario, name: str, where: str
) -> None:
    true, value = read(regions, REGION), TAMPERED[name]
    write(regions, where, replace(read(regions, where), **{name: value}))
    judged = judge()
    assert getattr(judged.manifest, name) != value
    if name == "key_arn" and where == SECOND:  # of another region: nothing of ours
        assert judged.manifest == true
        return
    assert any(name.split("_")[0] in line for line in judged.tampering), judged
    # What is not disputed stays usable.
    if not name.startswith("vault"):
        assert judged.manifest.vault_bucket == VAULT
        assert judged.without_vault == ""
    else:
        assert judged.manifest.vault_bucket == ""
        with pytest.raises(VaultNotProven, match=name):
            trust().vault()


def test_agreement_alone_does_not_make_a_foreign_thing_ours(regions: Scenario) -> None:
    for region in (REGION, SECOND, THIRD):
        wrong = replace(
            read(regions, region),
            vault_bucket="cordon-vault-444455556666-eu-west-1",
            forensic_account="444455556666",
            responder_cidrs=("198.51.100.0/24",),
        )
        write(regions, region, wrong)
    judged = judge()
    assert judged.tampering == ()
    assert judged.manifest.forensic_account == judged.manifest.vault_bucket == ""
    assert judged.manifest.responder_cidrs == ()
    assert "444455556666" in judged.without_vault
    assert sum("cordon trust import" in note for note in judged.notes) == 4


def test_another_key_of_this_account_is_not_the_kit_s(regions: Scenario) -> None:
    own = regions.client("kms").create_key()["KeyMetadata"]["Arn"]
    write(regions, REGION, replace(read(regions, REGION), key_arn=own))
    judged = judge()
    assert judged.manifest.key_arn == ""
    assert any("alias/cordon-evidence" in line for line in judged.tampering)


@pytest.mark.parametrize(
    "text", ["{", "[]", "[" * 3000, '{"schema": 1, "vault_bucket": ["x"]}', '{"schema": 9}']
)
def test_a_parameter_that_is_no_manifest_is_named(regions: Scenario, text: str) -> None:
    regions.client("ssm").put_parameter(
        Name=MANIFEST_PARAMETER, Type="String", Value=text, Overwrite=True
    )
    judged = judge()
    assert any("is not readable" in line for line in judged.tampering)
    assert judged.manifest.vault_bucket == VAULT


def test_a_manifest_that_is_gone_is_told_and_the_others_serve(regions: Scenario) -> None:
    regions.client("ssm").delete_parameter(Name=MANIFEST_PARAMETER)
    judged = judge()
    assert any("has no manifest" in note for note in judged.notes)
    assert judged.manifest.vault_bucket == VAULT
    assert judged.manifest.key_arn == ""


def test_a_region_that_does_not_answer_holds_nothing_up(
    regions: Scenario, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading
    import time

    monkeypatch.setattr(survey, "PATIENCE", 0.5)
    answered, read_manifest = threading.Event(), survey.prepared.manifest

    def hanging(aws: Aws, region: str) -> Manifest | None:
        if region == THIRD:
            answered.wait(5)
        return read_manifest(aws, region)

    monkeypatch.setattr(survey.prepared, "manifest", hanging)
    begun = time.monotonic()
    judged = judge()
    answered.set()
    assert time.monotonic() - begun < 3
    assert any(THIRD in note and "no answer" in note for note in judged.notes)
    assert judged.manifest.vault_bucket == VAULT
