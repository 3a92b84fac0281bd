"""Policies are compared by what they mean, however they are written."""

from __future__ import annotations

from typing import Any

import pytest

from contract import policy_digest as digest

ROOT = "arn:aws:iam::111122223333:root"
BASE: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": [ROOT, "arn:aws:iam::111122223333:user/alice"]},
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": "arn:aws:s3:::b/*",
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-1"]}, "Bool": {"aws:x": "true"}},
}


def of(**changes: Any) -> str:
    return digest([{"Statement": [{**BASE, **changes}]}])


def test_the_same_in_other_words() -> None:
    single = [{**BASE, "Action": action} for action in reversed(BASE["Action"])]
    assert digest([{"Statement": s} for s in single]) == of()
    assert of(Sid="Named") == of()
    assert of(Action=["s3:putobject", "S3:GetObject"]) == of()
    assert of(Principal={"AWS": [BASE["Principal"]["AWS"][1], "111122223333"]}) == of()
    condition = {"Bool": {"AWS:X": [True]}, "StringEquals": {"aws:principalorgid": "o-1"}}
    assert of(Condition=condition, Resource=[BASE["Resource"]]) == of()


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Deny"},
        {"Principal": "*"},
        {"Principal": {"AWS": ROOT}},
        {"Action": "s3:*"},
        {"Resource": "*"},
        {"Condition": {}},
        {"Condition": {**BASE["Condition"], "Bool": {"aws:x": "false"}}},
        {"Condition": {**BASE["Condition"], "BoolIfExists": {"aws:x": "true"}}},
        {"NotAction": "s3:GetObject"},
    ],
    ids=str,
)
def test_what_means_something_else_differs(change: dict[str, Any]) -> None:
    assert of(**change) != of()


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="not a policy document"):
        digest(["[]"])
