"""Policies that are generated: trust, merging, IAM's size limits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.iam import (
    POLICY_LIMIT,
    Deployment,
    document,
    filled,
    merged,
    packed,
    people_trust,
)
from responders.permissions import allow, ec2
from tests.preparation import ACCOUNT, EXTERNAL_ID, OTHER, decide, user

DEPLOYMENT = Deployment("aws", ACCOUNT)
FACTS = {"partition": "aws", "account": ACCOUNT}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-responder"


def trust(*principals: str, mfa: bool = True, external_id: str = "") -> list[dict[str, Any]]:
    text = people_trust(DEPLOYMENT, principals, require_mfa=mfa, external_id=external_id)
    statements: list[dict[str, Any]] = json.loads(text)["Statement"]
    return statements


def assumes(statements: list[dict[str, Any]], who: str, **context: str) -> bool:
    return decide(statements, who, "sts:AssumeRole", ROLE, **context) == "allow"


def test_only_with_mfa_unless_told_otherwise() -> None:
    alice = user("alice")
    assert not assumes(trust(alice), alice)
    assert not assumes(trust(alice), alice, aws__MultiFactorAuthPresent="false")
    assert assumes(trust(alice), alice, aws__MultiFactorAuthPresent="true")


def test_without_mfa_only_with_the_external_id() -> None:
    alice = user("alice")
    statements = trust(alice, mfa=False, external_id=EXTERNAL_ID)
    assert assumes(statements, alice, sts__ExternalId=EXTERNAL_ID)
    assert not assumes(statements, alice)
    assert not assumes(statements, user("mallory"), sts__ExternalId=EXTERNAL_ID)
    with pytest.raises(ValueError, match="needs an external id"):
        trust(alice, mfa=False)


def test_another_account_needs_its_external_id_and_mfa_this_one_mfa_only() -> None:
    alice, dora = user("alice"), user("dora", OTHER)
    statements = trust(alice, dora, external_id=EXTERNAL_ID)
    mfa = {"aws__MultiFactorAuthPresent": "true"}
    assert assumes(statements, alice, **mfa)
    assert assumes(statements, dora, sts__ExternalId=EXTERNAL_ID, **mfa)
    assert not assumes(statements, dora, **mfa)
    assert not assumes(statements, dora, sts__ExternalId=EXTERNAL_ID)
    assert not assumes(statements, dora, sts__ExternalId="another-external-id", **mfa)


@pytest.mark.parametrize(
    ("principals", "problem"),
    [
        ([], "at least one"),
        (["*"], "wildcard"),
        ([f"arn:aws:iam::{ACCOUNT}:user/*"], "wildcard"),
        ([user("dora", OTHER)], "external id"),
    ],
)
def test_a_trust_that_would_let_in_too_many_is_refused(principals: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        people_trust(DEPLOYMENT, principals, require_mfa=True)


def test_actions_on_the_same_resources_share_a_statement() -> None:
    tagged = {"StringEquals": {"aws:ResourceTag/cordon:case": "IR-7"}}
    statements = merged(
        [
            allow("ec2:B", on=ec2("volume")),
            allow("ec2:A", "ec2:B", on=ec2("volume")),
            allow("ec2:A", on=ec2("volume"), when=tagged),
            allow("ec2:DescribeX"),
        ],
        FACTS,
    )
    volume = f"arn:aws:ec2:*:{ACCOUNT}:volume/*"
    assert sorted(statements, key=str) == sorted(
        [
            {"Effect": "Allow", "Action": ["ec2:DescribeX"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["ec2:A", "ec2:B"], "Resource": volume},
            {"Effect": "Allow", "Action": ["ec2:A"], "Resource": volume, "Condition": tagged},
        ],
        key=str,
    )


def test_merging_does_not_depend_on_the_order_of_declarations() -> None:
    declared = [allow(f"ec2:A{n}", on=ec2(f"kind{n % 3}")) for n in range(9)]
    assert merged(declared, FACTS) == merged(declared[::-1], FACTS)


def test_placeholders_are_filled_in_resources_and_conditions_and_iam_s_own_stay() -> None:
    [statement] = merged(
        [allow("a:B", on="arn:{partition}:x", when={"ArnLike": {"aws:PrincipalArn": "{account}"}})],
        FACTS,
    )
    assert statement["Resource"] == "arn:aws:x"
    assert statement["Condition"] == {"ArnLike": {"aws:PrincipalArn": ACCOUNT}}
    assert filled("${aws:username}/${account}", FACTS) == ["${aws:username}/${account}"]
    with pytest.raises(ValueError, match=r"\{accuont\} .* stands for nothing"):
        filled("{accuont}", FACTS)


def size(statements: list[dict[str, Any]]) -> int:
    return len("".join(document(statements).split()))


def test_policies_stay_within_the_limit_and_lose_nothing() -> None:
    declared = [
        allow(*(f"service{n}:Operation{i:04d}" for i in range(60)), on=ec2(f"kind-{n}"))
        for n in range(20)
    ]
    statements = merged(declared, FACTS)
    policies = packed(statements)
    assert 1 < len(policies) <= 10
    assert all(size(p) <= POLICY_LIMIT for p in policies)

    def pairs(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
        return {(a, s["Resource"]) for s in found for a in s["Action"]}

    assert pairs([s for p in policies for s in p]) == pairs(statements)


def test_a_statement_that_is_too_long_alone_is_divided() -> None:
    [statement] = merged([allow(*(f"ec2:Operation{i:05d}" for i in range(600)))], FACTS)
    policies = packed([statement])
    assert len(policies) > 1
    assert all(size(p) <= POLICY_LIMIT for p in policies)
    assert sorted(a for p in policies for s in p for a in s["Action"]) == statement["Action"]


def test_more_than_a_role_can_hold_is_refused() -> None:
    declared = [
        allow(*(f"s{n}:Operation{i:04d}" for i in range(250)), on=f"r{n}") for n in range(11)
    ]
    with pytest.raises(ValueError, match="a role can have 10"):
        packed(merged(declared, FACTS))


def test_conditions_keep_their_lists_and_plain_values() -> None:
    when = {"StringLike": {"aws:ResourceTag/cordon:purpose": ["isolate", "untrack"]}}
    [statement] = merged([allow("ec2:A", when=when)], FACTS)
    assert statement["Condition"] == when
