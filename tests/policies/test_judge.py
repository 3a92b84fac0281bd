"""Every policy document that Cordon writes, judged by AWS's reference and by parliament."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab import documents
from policies.gate import waivers
from policies.judge.__main__ import WAIVERS, findings, main, verdict
from policies.judge.document import Document, Kind
from policies.judge.rules import HOLDER_RULES, RULES, judge

TODAY = datetime.date(2026, 11, 25)
SNAPSHOTS = "arn:aws:ec2:*::snapshot/*"


@pytest.fixture(scope="module")
def every() -> list[Document]:
    """Those of the program in three partitions and all variants, and those of responses."""
    return documents.documents()


def test_nothing_that_is_written_says_what_aws_does_not_understand(every: list[Document]) -> None:
    assert verdict(findings(every), waivers.read(WAIVERS), datetime.date.today()) == []


def test_all_kinds_in_all_partitions_are_judged(every: list[Document]) -> None:
    assert {one.partition for one in every} == {"aws", "aws-cn", "aws-us-gov"}
    assert {one.kind for one in every} >= {*Kind} - {Kind.RESOURCE_CONTROL}
    names = {one.name.rsplit("/", 1)[-1] for one in every}
    assert {"vault-policy", "responder-role", "guardrails-prepared", "deny-everything"} <= names


def a_document(statement: Mapping[str, Any], kind: Kind = Kind.IDENTITY) -> Document:
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    return Document("d", kind, text, holders=("h",) if kind is Kind.IDENTITY else ())


TAGGED = {"StringEquals": {"aws:ResourceTag/cordon:status": "evidence"}}
KEYS = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}
FAULTY: dict[str, Mapping[str, Any]] = {
    "unknown-action": {"Action": "ec2:CopySnapshots", "Resource": "*"},
    "unsupported-resource": {
        "Action": "logs:DescribeLogGroups",
        "Resource": "arn:aws:logs:*:111122223333:log-group:x",
    },
    "unsupported-key": {"Action": "ec2:CopySnapshot", "Resource": SNAPSHOTS, "Condition": TAGGED},
    "void-when-absent": {"Action": "ec2:DeleteTags", "Resource": SNAPSHOTS, "Condition": KEYS},
    "foreign-partition": {"Action": "s3:GetObject", "Resource": "arn:aws-cn:s3:::b/x"},
    "missing-dependent": {
        "Action": "ec2:CreateVpcEndpoint",
        "Resource": ["arn:aws:ec2:*:*:vpc/*", "arn:aws:ec2:*:*:vpc-endpoint/*"],
    },
    "missing-resource": {
        "Action": "ec2:ModifySnapshotAttribute",
        "Resource": "arn:aws:ec2:*:*:volume/*",
    },
}


@pytest.mark.parametrize("check", FAULTY)
def test_each_rule_finds_what_it_is_for(check: str) -> None:
    assert check in {one.check for one in judge([a_document(FAULTY[check])])}


def test_every_rule_has_been_seen_to_find() -> None:
    assert {*FAULTY} == {*RULES, *HOLDER_RULES}


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "ec2:CreateVolume", "Resource": SNAPSHOTS, "Condition": TAGGED},
        {"Action": "iam:PutRolePolicy", "Resource": "arn:aws:iam::*:role/*", "Condition": TAGGED},
        {
            "Action": "ec2:DeleteTags",
            "Resource": SNAPSHOTS,
            "Condition": {**KEYS, "Null": {"aws:TagKeys": "false"}},
        },
    ],
)
def test_what_aws_understands_is_no_finding(statement: Mapping[str, Any]) -> None:
    found = judge([a_document(statement)])
    assert [one for one in found if one.check in RULES] == []


def test_an_owner_that_the_action_does_not_know_is_found() -> None:
    """`aws:ResourceAccount` is global, but not for these (IAM user guide)."""
    condition = {"StringNotEquals": {"aws:ResourceAccount": "111122223333"}}
    for action in ("ec2:CreateVolume", "ebs:GetSnapshotBlock", "ec2:CopySnapshot"):
        found = judge([a_document({"Action": action, "Resource": "*", "Condition": condition})])
        assert "unsupported-key" in {one.check for one in found}, action


def test_a_waiver_that_is_expired_unused_or_silent_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "w.toml"
    file.write_text(
        '[[waiver]]\ncheck="unknown-action"\naddress="d/*"\nreason="r"\nexpires=2020-01-01\n'
        '[[waiver]]\ncheck="x"\naddress="*"\nreason=""\nexpires=2099-01-01\n'
    )
    found = judge([a_document(FAULTY["unknown-action"])])
    lines = verdict(found, waivers.read(file), TODAY)
    assert [line.split(" ")[-1] for line in lines] != []
    assert any("expired" in line for line in lines)
    assert any("not needed" in line for line in lines)
    assert any("no reason" in line for line in lines)


def test_the_command_judges_a_file_and_refuses_an_empty_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "documents.json"
    documents.write(file, [a_document(FAULTY["unknown-action"])])
    assert main([str(file)]) == 1
    assert "ec2:CopySnapshots: AWS knows no such action" in capsys.readouterr().out
    file.write_text("[]")
    assert main([str(file)]) == 2
    assert main([]) == 2
