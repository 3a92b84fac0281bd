"""A vault that is not what it should be gets nothing: the evidence stays here, and it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from contract import MANIFEST_PARAMETER, Manifest
from lab.calls import Calls
from lab.faults import Faults
from responders.aws import Access, Aws
from responders.trust.vault_proof import VaultClaim, VaultNotProven, faults_of, prove
from tests.responders.conftest import REGION, VAULT, Cordon, Scenario
from tests.responders.pinning import ACCOUNT, pin_account

CASE = ("--case", "IR-7", "--region", REGION, "--dwell", "0", "--json")
OTHER = "cordon-vault-123456789012-eu-west-1-x"


def claim(scenario: Scenario) -> VaultClaim:
    text = scenario.client("ssm").get_parameter(Name=MANIFEST_PARAMETER)["Parameter"]["Value"]
    return VaultClaim(VAULT, REGION, ACCOUNT, Manifest.from_json(text).vault_key_arn, 365)


def unversioned(scenario: Scenario) -> None:
    scenario.client("s3").create_bucket(
        Bucket=OTHER, CreateBucketConfiguration={"LocationConstraint": REGION}
    )


def encrypted(**default: str) -> Callable[[Scenario], None]:
    def harm(scenario: Scenario) -> None:
        rule = {"ApplyServerSideEncryptionByDefault": default}
        scenario.client("s3").put_bucket_encryption(
            Bucket=VAULT, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )

    return harm


def locked(**retention: object) -> Callable[[Scenario], None]:
    def harm(scenario: Scenario) -> None:
        rule = {"Rule": {"DefaultRetention": retention}} if retention else {}
        scenario.client("s3").put_object_lock_configuration(
            Bucket=VAULT, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **rule}
        )

    return harm


HARMS: dict[str, tuple[Callable[[Scenario], None], dict[str, object], str]] = {
    "of another account": (lambda scenario: None, {"owner": "444455556666"}, "not of account"),
    "not there": (lambda scenario: None, {"bucket": "cordon-vault-none"}, "NoSuchBucket"),
    "neither versioned nor locked": (unversioned, {"bucket": OTHER}, "versioning is not on"),
    "no default retention": (locked(), {}, "no default retention"),
    "kept too shortly": (locked(Mode="GOVERNANCE", Days=30), {}, "for 30 days, not 365"),
    "no key": (encrypted(SSEAlgorithm="AES256"), {}, "not encrypted under a key"),
    "the key of S3": (encrypted(SSEAlgorithm="aws:kms"), {}, "aws/s3"),
    "another key": (
        encrypted(SSEAlgorithm="aws:kms", KMSMasterKeyID=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x"),
        {},
        "not under the kit's key",
    ),
    "a foreign key": (
        encrypted(
            SSEAlgorithm="aws:kms", KMSMasterKeyID=f"arn:aws:kms:{REGION}:444455556666:key/x"
        ),
        {"key_arn": ""},
        "not under the kit's key",
    ),
}


@pytest.mark.parametrize("name", HARMS)
def test_a_vault_that_lacks_a_property_is_not_proven(scenario: Scenario, name: str) -> None:
    aws = Aws(Access(region=REGION), read_only=True)
    whole = claim(scenario)
    assert list(faults_of(aws, whole)) == []
    harm, wrong, told = HARMS[name]
    harm(scenario)
    with pytest.raises(VaultNotProven, match=told):
        prove(aws, replace(whole, **wrong))


def test_every_call_to_the_vault_names_its_owner(
    scenario: Scenario, cordon: Cordon, calls: Calls
) -> None:
    answer = cordon("instance", scenario.instance, *CASE)
    assert answer.code == 0, answer.err
    assert cordon("case", "verify", "--case", "IR-7").code == 0
    assert cordon("case", "sync", "--case", "IR-7").code == 0
    assert cordon("tools", "list", "--region", REGION).code == 0
    made = calls.of("s3")
    assert {c.operation for c in made} >= {"PutObject", "ListObjectVersions", "ListObjectsV2"}
    assert {c.params.get("ExpectedBucketOwner") for c in made} == {ACCOUNT}


@pytest.mark.parametrize("pinned", [True, False])
def test_evidence_stays_here_when_the_vault_is_not_proven(
    scenario: Scenario, cordon: Cordon, calls: Calls, pinned: bool
) -> None:
    if pinned:
        pin_account(scenario.lab, REGION)
    encrypted(SSEAlgorithm="AES256")(scenario)
    calls.clear()
    answer = cordon("instance", scenario.instance, *CASE)
    assert (answer.code, answer.document["outcome"]) == (3, "contained")
    evidence = answer.document["evidence"]
    assert not evidence["complete"]
    assert "not encrypted under a key" in evidence["reason"]
    assert evidence["vault"] == ""
    assert calls.of("s3", "PutObject") == []
    assert set(map(tuple, scenario.groups().values())) == {(scenario.isolate,)}
    assert cordon("case", "verify", "--case", "IR-7").code == 3


def test_a_vault_that_may_not_be_looked_at_is_not_used(
    scenario: Scenario, cordon: Cordon, faults: Faults, calls: Calls
) -> None:
    faults.deny("s3", "GetBucketEncryption")
    answer = cordon("instance", scenario.instance, *CASE)
    assert answer.code == 3
    assert "may not be looked at" in answer.document["evidence"]["reason"]
    assert calls.of("s3", "PutObject") == []
