"""The page about the guardrails says what they do: its table is what the policies answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.guardrails import Scope
from lab.guardrails_page import (
    ADMINISTRATOR,
    GUARDED,
    NO_TAGS,
    SCOPE,
    UNMARKED,
    answers,
    main,
    page,
)

PAGE = Path(__file__).parents[2] / "docs" / "guardrails.md"


def test_the_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run `make docs`"


def test_everything_guarded_has_actions_and_each_that_is_left_has_a_reason() -> None:
    found = answers()
    assert len(found) == len(GUARDED)
    for one in found:
        assert one.denied or one.guarded.unmarked, one.guarded.name
        assert [name for name, why in one.allowed.items() if not why] == [], one.guarded.name


def test_what_is_claimed_to_be_guarded_is_denied() -> None:
    """The points that were once open, by name."""
    by_name = {}
    for one in answers():
        by_name.setdefault(one.guarded.name, set()).update(one.denied)
    assert "ec2:SendDiagnosticInterrupt" in by_name["quarantined instance"]
    assert "ssm:CreateAssociation" in by_name["the same, by Systems Manager"]
    assert {"ec2:CreateVolume", "ec2:DeleteSnapshot"} <= by_name["evidence snapshot"]
    assert "ebs:GetSnapshotBlock" in by_name["its blocks"]
    assert "s3:PutObject" in by_name["object in the vault"]
    assert {"iam:CreateAccessKey", "iam:EnableMFADevice"} <= by_name[
        "person named in `cordon:guardedPeople`"
    ]
    assert "ec2:TerminateInstances" in by_name["workstation"]
    assert "autoscaling:StartInstanceRefresh" in by_name["group that it is on standby in"]


def test_the_table_shows_what_is_open_when_a_policy_says_less() -> None:
    """Without the people named, everything that makes one a responder is left, and unexplained."""
    bare = Scope(SCOPE.partition, SCOPE.organization, SCOPE.provisioners)
    person = next(
        one
        for one in answers(bare, ADMINISTRATOR)
        if one.guarded.kind == "user" and not one.guarded.unmarked
    )
    assert "iam:CreateAccessKey" in person.allowed
    assert person.allowed["iam:CreateAccessKey"] not in (NO_TAGS, UNMARKED)


def test_a_page_without_a_place_for_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no lines"):
        page("# Guardrails\n")
    assert main([]) == 2
