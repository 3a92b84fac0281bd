"""A role's trust is judged by what it means, not by the words in it."""

from __future__ import annotations

from typing import Any

import pytest

from responders.trust.assume_role import faults

OWN, FOREIGN = "111122223333", "444455556666"
ALICE = f"arn:aws:iam::{OWN}:user/alice"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def judged(principal: Any, condition: Any, pinned: tuple[str, ...] = ()) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Condition": condition}
    return "; ".join(faults({"Statement": [statement]}, OWN, pinned))


@pytest.mark.parametrize(
    "condition", [MFA, {"StringEquals": {"sts:ExternalId": "secret"}}], ids=str
)
def test_named_people_with_proof_are_right(condition: Any) -> None:
    assert judged({"AWS": [ALICE]}, condition) == ""
    assert judged({"AWS": ALICE}, condition, (ALICE,)) == ""


@pytest.mark.parametrize(
    ("principal", "condition", "wrong"),
    [
        ("*", MFA, "everybody"),
        ({"AWS": "*"}, MFA, "wildcard"),
        ({"AWS": [ALICE, "*"]}, MFA, "wildcard"),
        ({"AWS": ALICE}, {}, "without MFA"),
        ({"AWS": ALICE}, {"BoolIfExists": MFA["Bool"]}, "without MFA"),
        ({"AWS": ALICE}, {"Bool": {"aws:MultiFactorAuthPresent": "false"}}, "without MFA"),
        ({"AWS": ALICE}, {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, "without"),
        ({"AWS": ALICE}, {"StringNotEquals": {"sts:ExternalId": "x"}}, "without MFA"),
        ({"AWS": ALICE}, {"StringEquals": {"sts:ExternalId": ["x", ""]}}, "without MFA"),
        ({"AWS": f"arn:aws:iam::{FOREIGN}:root"}, MFA, "another account"),
        ({"AWS": FOREIGN}, MFA, "another account"),
        ({"AWS": f"arn:aws:iam::{FOREIGN}:user/eve"}, MFA, "without an external id"),
        ({"AWS": ALICE}, {"StringEquals": {"sts:ExternalId": ["a", "b"]}}, "without MFA"),
        ({"AWS": ALICE}, {"StringLike": {"sts:ExternalId": "*"}}, "without MFA"),
        ({"AWS": ALICE, "Federated": f"arn:aws:iam::{OWN}:saml-provider/x"}, MFA, "Federated"),
        ({"Service": "lambda.amazonaws.com"}, MFA, "of the kind Service"),
    ],
    ids=str,
)
def test_what_only_looks_right_is_wrong(principal: Any, condition: Any, wrong: str) -> None:
    assert wrong in judged(principal, condition)


def test_a_stranger_is_wrong_when_people_are_pinned() -> None:
    mallory = f"arn:aws:iam::{OWN}:user/mallory"
    assert mallory in judged({"AWS": [ALICE, mallory]}, MFA, (ALICE,))


def test_breaking_the_glass_takes_mfa() -> None:
    external = {"StringEquals": {"sts:ExternalId": "secret"}}
    document = {
        "Statement": {"Effect": "Allow", "Principal": {"AWS": ALICE}, "Condition": external}
    }
    assert list(faults(document, OWN, (ALICE,))) == []
    assert list(faults(document, OWN, (ALICE,), needs_mfa=True)) == ["can be assumed without MFA"]
