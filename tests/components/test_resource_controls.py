"""The resource control policy, and the declarative policy for EC2."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components import ec2_baseline, resource_controls
from components.guardrails import Scope
from contract import DECLARATIVE_LIMIT, RCP_LIMIT
from lab import record
from lab.policy import Asked, denied_by

OURS, THEIRS = "o-exampleorg1", "o-another1234"
VAULT = "arn:aws:s3:::cordon-vault-111122223333-eu-west-1/cases/IR-7/x"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/0abc"
KIT = {"aws:ResourceTag/cordon:kit": "0.1.0"}
ROLE = "arn:aws:iam::111122223333:role/cordon/cordon-responder"
STATEMENTS = json.loads(resource_controls.content(Scope("aws", OURS)))["Statement"]


def denied(action: str, resource: str, **context: Any) -> bool:
    keys = {key.replace("__", ":"): value for key, value in context.items()}
    tags = KIT if ":kms:" in resource else {}
    return denied_by(STATEMENTS, Asked(action, (resource,), ("x",), {**tags, **keys})) is not None


@pytest.mark.parametrize(
    ("action", "resource"),
    [("s3:GetObject", VAULT), ("kms:Decrypt", KEY), ("sts:AssumeRole", ROLE)],
)
def test_only_the_organization_and_aws_services_come_in(action: str, resource: str) -> None:
    assert denied(action, resource, aws__PrincipalOrgID=THEIRS, aws__PrincipalIsAWSService="false")
    assert denied(action, resource)  # anonymous: no key of a principal at all
    assert not denied(
        action, resource, aws__PrincipalOrgID=OURS, aws__PrincipalIsAWSService="false"
    )
    assert not denied(action, resource, aws__PrincipalIsAWSService="true")


def test_what_is_not_the_kits_is_left_alone() -> None:
    foreign = {"aws:PrincipalOrgID": THEIRS, "aws:PrincipalIsAWSService": "false"}
    for action, resource in (
        ("s3:GetObject", "arn:aws:s3:::app/x"),
        ("kms:Decrypt", KEY),  # without the kit's tag
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/partner"),
    ):
        assert denied_by(STATEMENTS, Asked(action, (resource,), ("x",), foreign)) is None


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_they_are_within_the_limits(partition: str) -> None:
    assert len(resource_controls.content(Scope(partition, OURS))) <= RCP_LIMIT
    assert len(ec2_baseline.content()) <= DECLARATIVE_LIMIT


def test_they_are_declared_with_targets_and_attached_there() -> None:
    program = record.run("organization")
    declared = {p.inputs["type"]: p for p in program.of_type("aws:organizations/policy:Policy")}
    assert {resource_controls.TYPE, ec2_baseline.TYPE} <= declared.keys()
    assert {"resourceControl", "ec2Baseline"} <= program.exports.keys()
    baseline = json.loads(declared[ec2_baseline.TYPE].inputs["content"])["ec2_attributes"]
    assert baseline["snapshot_block_public_access"]["state"] == {"@@assign": "block_new_sharing"}
    assert baseline["instance_metadata_defaults"]["http_tokens"] == {"@@assign": "required"}
    attached = program.of_type("aws:organizations/policyAttachment:PolicyAttachment")
    assert {"controls-outsiders-r-exam", "ec2-baseline-policy-r-exam"} <= {a.name for a in attached}
    enabled = program.of_type("aws:organizations/organization:Organization")[0].inputs
    assert {resource_controls.TYPE, ec2_baseline.TYPE} <= {*enabled["enabledPolicyTypes"]}
