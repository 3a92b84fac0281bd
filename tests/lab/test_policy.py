"""Judging policy documents: every operator to both answers, and what is not known refused."""

from __future__ import annotations

from typing import Any

import pytest

from lab.policy import Asked, allowed_by, applies, denied_by, like, statements

ALICE = "arn:aws:iam::111122223333:user/alice"


def statement(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **more}


def holds(condition: dict[str, Any], **context: Any) -> bool:
    named = {key.replace("_", ":", 1): value for key, value in context.items()}
    return applies(statement(Condition=condition), Asked("s3:GetObject", context=named))


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("*", "s3:GetObject", True),
        ("s3:*", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get*", "s3:PutObject", False),
        (["ec2:*", "s3:GetObject"], "s3:GetObject", True),
        ("s3:GetObjec?", "s3:GetObject", True),
    ],
)
def test_actions(pattern: Any, action: str, matches: bool) -> None:
    assert applies(statement(Action=pattern), Asked(action)) is matches
    inverse = {"Effect": "Allow", "NotAction": pattern, "Resource": "*"}
    assert applies(inverse, Asked(action)) is not matches


def test_resources() -> None:
    mine = statement(Resource="arn:aws:s3:::evidence/*")
    assert applies(mine, Asked("s3:GetObject", ("arn:aws:s3:::evidence/a",)))
    assert not applies(mine, Asked("s3:GetObject", ("arn:aws:s3:::other/a",)))
    assert applies(mine, Asked("s3:GetObject"))  # which one is not known
    other = {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::evidence/*"}
    assert applies(other, Asked("s3:GetObject", ("arn:aws:s3:::other/a",)))
    assert not applies(other, Asked("s3:GetObject", ("arn:aws:s3:::evidence/a",)))


@pytest.mark.parametrize(
    ("principal", "matches"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ALICE}, True),
        ({"AWS": ["arn:aws:iam::1:user/x", ALICE]}, True),
        ({"AWS": "arn:aws:iam::111122223333:root"}, True),
        ({"AWS": "111122223333"}, True),
        ({"AWS": "arn:aws:iam::444455556666:root"}, False),
        ({"Service": "logging.s3.amazonaws.com"}, False),
    ],
)
def test_principals(principal: Any, matches: bool) -> None:
    asked = Asked("s3:GetObject", principals=(ALICE, "111122223333"))
    assert applies(statement(Principal=principal), asked) is matches
    assert applies(statement(NotPrincipal=principal), asked) is not matches


@pytest.mark.parametrize(
    ("operator", "wanted", "yes", "no"),
    [
        ("StringEquals", "a", "a", "A"),
        ("StringNotEquals", "a", "b", "a"),
        ("StringEqualsIgnoreCase", "a", "A", "b"),
        ("StringLike", "a*", "abc", "bc"),
        ("StringNotLike", "a*", "bc", "abc"),
        ("ArnLike", "arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", "arn:aws:iam::1:role/y"),
        ("ArnNotEquals", ALICE, "arn:aws:iam::1:user/b", ALICE),
        ("NumericLessThan", "10", "9", "10"),
        ("NumericLessThanEquals", "10", "10", "11"),
        ("NumericGreaterThan", "10", "11", "10"),
        ("NumericNotEquals", "10", "9", "10.0"),
        ("DateLessThan", "2026-01-02T00:00:00Z", "2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z"),
        ("DateGreaterThanEquals", "2026-01-02", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("Bool", "true", "True", "false"),
        ("IpAddress", "192.0.2.0/24", "192.0.2.9", "198.51.100.1"),
        ("NotIpAddress", "192.0.2.0/24", "198.51.100.1", "192.0.2.9"),
        ("StringEqualsIfExists", "a", "a", "b"),
    ],
)
def test_operators(operator: str, wanted: str, yes: str, no: str) -> None:
    assert holds({operator: {"x:y": wanted}}, x_y=yes)
    assert not holds({operator: {"x:y": wanted}}, x_y=no)
    assert holds({operator: {"X:Y": wanted}}, x_y=yes)  # keys have no case


@pytest.mark.parametrize(
    ("operator", "satisfied"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("ArnLike", False),
        ("ArnNotLike", True),
        ("DateLessThan", False),
        ("StringEqualsIfExists", True),
        ("ForAllValues:StringLike", True),
        ("ForAnyValue:StringLike", False),
        ("ForAnyValue:StringNotLike", False),
    ],
)
def test_a_key_that_the_request_does_not_have(operator: str, satisfied: bool) -> None:
    value = "2026-01-01T00:00:00Z" if "Date" in operator else "a"
    assert holds({operator: {"x:y": value}}) is satisfied


def test_null() -> None:
    assert holds({"Null": {"x:y": "true"}})
    assert not holds({"Null": {"x:y": "false"}})
    assert holds({"Null": {"x:y": "false"}}, x_y="a")
    assert not holds({"Null": {"x:y": True}}, x_y="a")


def test_many_values() -> None:
    keys = ("cordon:case", "Name")
    assert holds({"ForAnyValue:StringLike": {"aws:TagKeys": "cordon:*"}}, aws_TagKeys=keys)
    assert not holds({"ForAllValues:StringLike": {"aws:TagKeys": "cordon:*"}}, aws_TagKeys=keys)
    assert holds(
        {"ForAllValues:StringLike": {"aws:TagKeys": ["cordon:*", "Name"]}}, aws_TagKeys=keys
    )
    assert not holds({"StringNotEquals": {"x:y": ["a", "b"]}}, x_y="b")


def test_all_conditions_must_hold() -> None:
    both = {"Bool": {"x:y": "true"}, "StringEquals": {"x:z": "a"}}
    assert holds(both, x_y="true", x_z="a")
    assert not holds(both, x_y="true", x_z="b")


def test_an_operator_that_is_not_known_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="BinaryEquals"):
        holds({"BinaryEquals": {"x:y": "a"}}, x_y="a")


def test_statements_and_verdicts() -> None:
    document = '{"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Sid": "a"}}'
    found = statements(document)
    assert [s["Sid"] for s in found] == ["a"]
    assert denied_by(found, Asked("s3:GetObject")) == found[0]
    assert denied_by(found, Asked("ec2:RunInstances")) is None
    assert allowed_by(found, Asked("s3:GetObject")) is None


def test_wildcards_are_no_regular_expressions() -> None:
    assert like("a.c", "a.c")
    assert not like("a.c", "abc")
    assert like("[ab]*", "[ab]c")
