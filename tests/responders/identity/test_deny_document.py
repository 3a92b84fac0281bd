"""Deny documents: what they match, how they are measured and compared."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from lab.policy import Asked, denied_by, statements
from responders.identity import deny_document

BEGAN = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)


def test_the_cut_off_lies_30_seconds_ahead_and_never_rounds_down() -> None:
    assert deny_document.cut_off(BEGAN) == datetime(2026, 1, 31, 12, 0, 31, tzinfo=UTC)
    whole = BEGAN.replace(microsecond=0)
    assert deny_document.cut_off(whole) == whole + timedelta(seconds=30)


def test_the_cut_off_is_written_in_utc_whatever_the_zone() -> None:
    local = datetime(2026, 1, 31, 17, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    statement = deny_document.sessions_before(local)["Statement"][0]
    assert statement["Condition"] == {
        "DateLessThan": {"aws:TokenIssueTime": "2026-01-31T12:00:00Z"}
    }
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")


def test_one_instance_or_one_session_of_a_role() -> None:
    narrow = deny_document.instance_sessions("AROAEXAMPLEID", "i-0123456789abcdef0")
    condition = deny_document.sessions_before(BEGAN, narrow)["Statement"][0]["Condition"]
    assert condition["StringLike"] == {"aws:userid": "AROAEXAMPLEID:i-0123456789abcdef0*"}
    assert "DateLessThan" in condition
    assert deny_document.named_session("AROAEXAMPLEID", "alice") == "AROAEXAMPLEID:alice"


def test_everything_has_no_condition_unless_narrowed() -> None:
    assert "Condition" not in deny_document.everything()["Statement"][0]
    assert deny_document.everything("AROAX:i-0a*")["Statement"][0]["Condition"] == {
        "StringLike": {"aws:userid": "AROAX:i-0a*"}
    }


def test_each_scope_has_a_policy_of_its_own_with_a_name_that_iam_takes() -> None:
    case = "C" * 64
    scopes = ("", deny_document.EVERYTHING, "i-0123456789abcdef0", "all", "s" * 64, "s" * 63 + "t")
    names = [deny_document.policy_name(case, scope) for scope in scopes]
    assert len(set(names)) == len(scopes)
    assert all(re.fullmatch(r"[\w+=,.@-]{1,128}", name) for name in names)


def test_white_space_does_not_count() -> None:
    spaced = {"Version": "2012-10-17", "Statement": [{"Sid": "a b"}]}
    assert deny_document.size(spaced) == len(json.dumps(spaced, separators=(",", ":"))) - 1
    left = deny_document.room("user", [spaced, spaced])
    assert left == 2_048 - 2 * deny_document.size(spaced)
    assert deny_document.room("role", []) == 10_240


@pytest.mark.parametrize("narrow", ["", "AROAX:i-0a*"])
def test_a_later_cut_off_covers_an_earlier_one(narrow: str) -> None:
    early = deny_document.sessions_before(BEGAN, narrow)
    late = deny_document.sessions_before(BEGAN + timedelta(hours=1), narrow)
    assert deny_document.covers(early, early)
    assert deny_document.covers(late, early)
    assert not deny_document.covers(early, late)


def test_nothing_else_covers() -> None:
    wanted = deny_document.sessions_before(BEGAN)
    assert not deny_document.covers(None, wanted)
    assert not deny_document.covers(deny_document.sessions_before(BEGAN, "AROAX:i-0a*"), wanted)
    later = {**deny_document.sessions_before(BEGAN + timedelta(hours=1))}
    allowed = {**later, "Statement": [{**later["Statement"][0], "Effect": "Allow"}]}
    assert not deny_document.covers(allowed, wanted)
    assert not deny_document.covers({"Statement": "x"}, wanted)
    assert not deny_document.covers(wanted, deny_document.everything())


@pytest.mark.parametrize(
    ("document", "context", "denied"),
    [
        (
            deny_document.sessions_before(BEGAN),
            {"aws:TokenIssueTime": "2026-01-31T11:59:59Z"},
            True,
        ),
        (
            deny_document.sessions_before(BEGAN),
            {"aws:TokenIssueTime": "2026-01-31T12:00:01Z"},
            False,
        ),
        (deny_document.sessions_before(BEGAN), {}, False),  # a long-term key
        (deny_document.everything(), {}, True),
        (deny_document.everything(), {"aws:TokenIssueTime": "2099-01-01T00:00:00Z"}, True),
        (
            deny_document.sessions_before(BEGAN, deny_document.named_session("AROAX", "ci")),
            {"aws:TokenIssueTime": "2020-01-01T00:00:00Z", "aws:userid": "AROAX:ci-2"},
            False,
        ),
        (
            deny_document.everything(
                deny_document.instance_sessions("AROAX", "i-0123456789abcdef0")
            ),
            {"aws:userid": "AROAX:i-0123456789abcdef0"},
            True,
        ),
    ],
)
def test_what_iam_makes_of_the_documents(
    document: deny_document.Document, context: dict[str, str], denied: bool
) -> None:
    asked = Asked("s3:GetObject", context=context)
    assert (denied_by(statements(document), asked) is not None) == denied
