"""The key of each region: declared as required, usable by others through AWS services only."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from lab.program import Program
from tests.preparation import ACCOUNT, ORGANIZATION, OTHER, decide, policy, prepare

FORENSIC = f"arn:aws:iam::{OTHER}:role/examiner"
WRITER = "777788889999"
THEIRS = f"arn:aws:iam::{WRITER}:role/cordon/cordon-responder"
USES = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptTo")


@cache
def program() -> Program:
    return prepare({"forensicAccount": OTHER, "vaultWriters": [WRITER], "keyDeletionDays": 14})


def statements(region: str = "eu-west-1") -> list[dict[str, Any]]:
    return policy(program().named(f"key-{region}-key"))


def test_what_is_declared() -> None:
    for region in ("eu-west-1", "us-east-1"):
        key = program().named(f"key-{region}-key")
        assert key.inputs["enableKeyRotation"] is True
        assert key.inputs["deletionWindowInDays"] == 14
        assert key.inputs["region"] == region
        assert key.retain_on_delete
        alias = program().named(f"key-{region}-alias")
        assert alias.inputs["name"] == "alias/cordon-evidence"
        assert alias.inputs["targetKeyId"] == key.outputs["keyId"]
        assert alias.inputs["region"] == region


def test_the_account_s_own_policies_decide_for_its_own_people() -> None:
    own = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-responder"
    assert decide(statements(), own, "kms:CreateGrant", "*") == "allow"


@pytest.mark.parametrize("action", USES)
def test_the_forensic_account_uses_it_through_ec2_of_this_region_only(action: str) -> None:
    through = {"kms__ViaService": "ec2.eu-west-1.amazonaws.com"}
    assert decide(statements(), FORENSIC, action, "*", **through) == "allow"
    assert decide(statements(), FORENSIC, action, "*") == "nothing"
    elsewhere = {"kms__ViaService": "ec2.us-east-1.amazonaws.com"}
    assert decide(statements(), FORENSIC, action, "*", **elsewhere) == "nothing"
    stranger = FORENSIC.replace(OTHER, "999999999999")
    assert decide(statements(), stranger, action, "*", **through) == "nothing"


def test_the_forensic_account_grants_it_to_aws_resources_only_and_never_administers() -> None:
    examiner = f"arn:aws:iam::{OTHER}:role/cordon/cordon-responder"
    through = {
        "kms__ViaService": "ec2.eu-west-1.amazonaws.com",
        "aws__PrincipalArn": examiner,
    }
    volume = {**through, "kms__GrantIsForAWSResource": "true"}
    assert decide(statements(), FORENSIC, "kms:CreateGrant", "*", **volume) == "allow"
    assert decide(statements(), FORENSIC, "kms:CreateGrant", "*", **through) == "nothing"
    other = {**volume, "aws__PrincipalArn": f"arn:aws:iam::{OTHER}:role/app"}
    assert decide(statements(), FORENSIC, "kms:CreateGrant", "*", **other) == "deny"
    for action in ("kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:DisableKey"):
        assert decide(statements(), FORENSIC, action, "*", **volume) == "nothing"


def test_writers_use_the_vault_s_key_through_s3_and_no_other_key() -> None:
    through = {"kms__ViaService": "s3.us-east-1.amazonaws.com"}
    vault = statements("us-east-1")
    assert decide(vault, THEIRS, "kms:GenerateDataKey", "*", **through) == "allow"
    assert decide(vault, THEIRS, "kms:GenerateDataKey", "*") == "nothing"
    admin = f"arn:aws:iam::{WRITER}:role/admin"
    assert decide(vault, admin, "kms:GenerateDataKey", "*", **through) == "nothing"
    local = {"kms__ViaService": "s3.eu-west-1.amazonaws.com"}
    assert decide(statements(), THEIRS, "kms:GenerateDataKey", "*", **local) == "nothing"


def test_an_organization_s_writers_are_of_that_organization() -> None:
    config = {"vaultWriters": ["organization"], "organizationId": ORGANIZATION}
    found = policy(prepare(config).named("key-us-east-1-key"))
    through = {"kms__ViaService": "s3.us-east-1.amazonaws.com"}
    inside = {**through, "aws__PrincipalOrgID": ORGANIZATION}
    outside = {**through, "aws__PrincipalOrgID": "o-anotherorg99"}
    assert decide(found, THEIRS, "kms:GenerateDataKey", "*", **inside) == "allow"
    assert decide(found, THEIRS, "kms:GenerateDataKey", "*", **outside) == "nothing"
    assert decide(found, THEIRS, "kms:GenerateDataKey", "*", **through) == "nothing"


def test_cloudwatch_logs_encrypts_the_kit_s_log_groups_only() -> None:
    service = "logs.eu-west-1.amazonaws.com"
    groups = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:"
    ours = {"kms:EncryptionContext:aws:logs:arn": f"{groups}/cordon/forensic-vpc-1"}
    others = {"kms:EncryptionContext:aws:logs:arn": f"{groups}/app"}
    assert decide(statements(), service, "kms:Encrypt", "*", **ours) == "allow"
    assert decide(statements(), service, "kms:Encrypt", "*", **others) == "nothing"


def test_in_the_forensic_account_itself_nobody_else_is_named() -> None:
    for config in ({}, {"forensicAccount": ACCOUNT}):
        found = policy(prepare(config).named("key-eu-west-1-key"))
        assert [s["Sid"] for s in found] == ["Account", "FlowLogs", "EvidenceOnly"]


def test_where_volumes_are_encrypted_with_it_everybody_lets_ec2_use_it() -> None:
    found = policy(prepare({"ebsDefaultEncryption": True}).named("key-eu-west-1-key"))
    assert "EvidenceOnly" not in [s["Sid"] for s in found]
