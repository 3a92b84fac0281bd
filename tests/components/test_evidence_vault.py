"""The vault keeps what it receives: what is declared, and who can do what to it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from lab.program import Program
from tests.preparation import ACCOUNT, ORGANIZATION, OTHER, decide, policy, prepare, user

BUCKET = f"arn:aws:s3:::cordon-vault-{ACCOUNT}-us-east-1"
EVIDENCE = f"{BUCKET}/cases/IR-7/run/evidence/console.txt"
TOOL = f"{BUCKET}/tools/0123/avml"
RESPONDER = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-responder"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/admin"
GLASS = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-break-glass"
THEIRS = f"arn:aws:iam::{OTHER}:role/cordon/cordon-responder"
THEIR_ADMIN = f"arn:aws:iam::{OTHER}:role/admin"
SSE = "s3:x-amz-server-side-encryption"


@cache
def program(**config: Any) -> Program:
    return prepare({k: list(v) if isinstance(v, tuple) else v for k, v in config.items()})


def statements(**config: Any) -> list[dict[str, Any]]:
    return policy(program(**config).named("vault-policy"))


def key_arn() -> str:
    return str(program().exports["vault"]["keyArn"])


def test_what_is_declared() -> None:
    bucket = program().named("vault-bucket")
    assert bucket.inputs["objectLockEnabled"] is True
    assert bucket.inputs["forceDestroy"] is False
    assert bucket.inputs["bucket"] == f"cordon-vault-{ACCOUNT}-us-east-1"
    versioning = program().named("vault-versioning").inputs["versioningConfiguration"]
    assert versioning == {"status": "Enabled"}
    [rule] = program().named("vault-encryption").inputs["rules"]
    assert rule["bucketKeyEnabled"] is True
    assert rule["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": key_arn(),
    }
    for name in ("vault", "vault-logs"):
        block = program().named(f"{name}-public-access").inputs
        assert all(
            block[key] is True
            for key in (
                "blockPublicAcls",
                "blockPublicPolicy",
                "ignorePublicAcls",
                "restrictPublicBuckets",
            )
        )
        ownership = program().named(f"{name}-ownership").inputs["rule"]
        assert ownership == {"objectOwnership": "BucketOwnerEnforced"}


@pytest.mark.parametrize(("mode", "days"), [("governance", 365), ("compliance", 36500)])
def test_the_lock_is_as_configured(mode: str, days: int) -> None:
    lock = program(retentionMode=mode, retentionDays=days).named("vault-lock").inputs
    assert lock["objectLockEnabled"] == "Enabled"
    assert lock["rule"] == {"defaultRetention": {"mode": mode.upper(), "days": days}}


def test_nothing_of_the_vault_is_ever_deleted_by_pulumi() -> None:
    kept = [r for r in program().registrations if r.custom and r.name.startswith("vault-")]
    assert len(kept) == 16
    assert all(r.protect and r.retain_on_delete for r in kept)
    [key] = [r for r in program().of_type("aws:kms/key:Key") if r.name == "key-us-east-1-key"]
    assert key.retain_on_delete


def test_only_tools_are_ever_expired() -> None:
    rules = program().named("vault-lifecycle").inputs["rules"]
    assert [r["filter"] for r in rules] == [{"prefix": "tools/"}]
    assert not any("expiration" in r for r in rules)


def test_access_is_logged_to_a_bucket_of_its_own_that_only_log_delivery_fills() -> None:
    logging = program().named("vault-logging").inputs
    assert logging["targetBucket"] == f"cordon-logs-{ACCOUNT}-us-east-1"
    assert logging["bucket"] != logging["targetBucket"]
    assert "objectLockEnabled" not in program().named("vault-logs-bucket").inputs or (
        program().named("vault-logs-bucket").inputs["objectLockEnabled"] is False
    )
    found = policy(program().named("vault-logs-policy"))
    target = f"arn:aws:s3:::{logging['targetBucket']}/vault/2026"
    service = "logging.s3.amazonaws.com"
    ours = {"aws__SourceArn": BUCKET, "aws__SourceAccount": ACCOUNT}
    assert decide(found, service, "s3:PutObject", target, **ours) == "allow"
    theirs = {**ours, "aws__SourceAccount": OTHER}
    assert decide(found, service, "s3:PutObject", target, **theirs) == "nothing"
    plain = {"aws__SecureTransport": "false"}
    assert decide(found, ADMIN, "s3:GetObject", target, **plain) == "deny"


def test_the_policy_comes_last_because_it_denies_what_setting_up_does() -> None:
    depends = program().named("vault-policy").dependencies
    for name in ("lock", "versioning", "encryption", "public-access", "logging", "lifecycle"):
        assert program().named(f"vault-{name}").urn in depends


UPLOADS: list[tuple[dict[str, str], str]] = [
    ({}, "nothing"),
    ({SSE: "aws:kms", f"{SSE}-aws-kms-key-id": "KEY"}, "nothing"),
    ({f"{SSE}-aws-kms-key-id": "KEY", SSE: "aws:kms:dsse"}, "deny"),
    ({SSE: "aws:kms"}, "deny"),
    ({SSE: "AES256"}, "deny"),
    ({SSE: "aws:kms", f"{SSE}-aws-kms-key-id": "arn:aws:kms:us-east-1:1:key/x"}, "deny"),
    ({"aws:SecureTransport": "false"}, "deny"),
    ({"s3:signatureversion": "AWS"}, "deny"),
    ({"s3:signatureversion": "AWS4-HMAC-SHA256"}, "nothing"),
]


@pytest.mark.parametrize(("headers", "expected"), UPLOADS)
def test_an_upload_is_encrypted_with_the_vault_s_key_and_sent_with_tls(
    headers: dict[str, str], expected: str
) -> None:
    given = {k: key_arn() if v == "KEY" else v for k, v in headers.items()}
    assert decide(statements(), RESPONDER, "s3:PutObject", EVIDENCE, **given) == expected


LOOSENING: list[tuple[str, dict[str, str]]] = [
    ("s3:DeleteObject", {}),
    ("s3:DeleteObjectVersion", {}),
    ("s3:BypassGovernanceRetention", {}),
    ("s3:PutObjectLegalHold", {"s3:object-lock-legal-hold": "OFF"}),
    ("s3:PutObjectRetention", {"s3:object-lock-remaining-retention-days": "30"}),
]


@pytest.mark.parametrize(("action", "context"), LOOSENING)
def test_only_break_glass_deletes_or_loosens(action: str, context: dict[str, str]) -> None:
    for who in (RESPONDER, ADMIN, THEIRS, user("alice"), f"arn:aws:iam::{ACCOUNT}:root"):
        assert decide(statements(), who, action, EVIDENCE, **context) == "deny"
    assert decide(statements(), GLASS, action, EVIDENCE, **context) == "nothing"


@pytest.mark.parametrize(
    "action",
    ["s3:DeleteBucket", "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration"],
)
def test_only_break_glass_changes_the_bucket_s_locks(action: str) -> None:
    assert decide(statements(), ADMIN, action, BUCKET) == "deny"
    assert decide(statements(), GLASS, action, BUCKET) == "nothing"


def test_locks_can_be_set_and_lengthened_by_whoever_may_write() -> None:
    hold = {"s3:object-lock-legal-hold": "ON"}
    assert decide(statements(), RESPONDER, "s3:PutObjectLegalHold", EVIDENCE, **hold) == "nothing"
    longer = {"s3:object-lock-remaining-retention-days": "364"}
    verdict = decide(statements(), RESPONDER, "s3:PutObjectRetention", EVIDENCE, **longer)
    assert verdict == "nothing"


@pytest.mark.parametrize("named", ["account", "organization"])
def test_other_accounts_responders_add_evidence_and_fetch_tools_and_no_more(named: str) -> None:
    who = (OTHER,) if named == "account" else ("organization",)
    found = statements(vaultWriters=who, organizationId=ORGANIZATION)
    member = {"aws__PrincipalOrgID": ORGANIZATION}
    assert decide(found, THEIRS, "s3:PutObject", EVIDENCE, **member) == "allow"
    assert decide(found, THEIRS, "s3:ListBucket", BUCKET, **member) == "allow"
    assert decide(found, THEIRS, "s3:GetObject", TOOL, **member) == "allow"
    assert decide(found, THEIRS, "s3:GetObject", EVIDENCE, **member) == "nothing"
    assert decide(found, THEIRS, "s3:PutObject", TOOL, **member) == "nothing"
    assert decide(found, THEIR_ADMIN, "s3:PutObject", EVIDENCE, **member) == "nothing"
    stranger = THEIRS.replace(OTHER, "999999999999")
    outside = {"aws__PrincipalOrgID": "o-anotherorg99"}
    assert decide(found, stranger, "s3:PutObject", EVIDENCE, **outside) == "nothing"


def test_without_writers_no_statement_allows_anything() -> None:
    assert {s["Effect"] for s in statements()} == {"Deny"}


def test_a_vault_elsewhere_is_used_and_none_is_made() -> None:
    bucket = f"cordon-vault-{OTHER}-eu-west-1"
    key = f"arn:aws:kms:eu-west-1:{OTHER}:key/00000000-0000-0000-0000-000000000000"
    used = program(vaultBucket=bucket, vaultRegion="eu-west-1", vaultKeyArn=key)
    assert not used.of_type("aws:s3/bucket:Bucket")
    assert used.exports["vault"] == {"bucket": bucket, "region": "eu-west-1", "keyArn": key}
    assert "analystRole" not in used.exports
    text = "".join(p.inputs["policy"] for p in used.of_type("aws:iam/policy:Policy"))
    assert f"arn:aws:s3:::{bucket}/cases/*" in text
    assert key in text


def test_the_vault_s_region_has_a_key_even_where_nothing_else_is_prepared() -> None:
    made = program(regions=("eu-west-1",), vaultRegion="us-east-1")
    assert made.exports["keys"].keys() == {"eu-west-1", "us-east-1"}
    assert made.exports["regions"] == ["eu-west-1"]
    assert made.named("vault-bucket").inputs["region"] == "us-east-1"


def test_the_most_writers_that_are_admitted_fit_into_s3_s_and_kms_s_policies() -> None:
    made = program(vaultWriters=tuple(f"{n:012d}" for n in range(150)))
    assert len(made.named("vault-policy").inputs["policy"]) <= 20_480
    assert len(made.named("key-us-east-1-key").inputs["policy"]) <= 32_768
