"""Who is outside: one rule for shares, policies and trust."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.faults import Faults
from responders.aws import Access, Aws
from responders.hunt.classify import classify
from responders.hunt.event import read_event
from responders.hunt.outside import Home
from responders.hunt.table import Kind
from tests.conftest import AwsLab
from tests.responders.hunt.records import ACCOUNT, OUTSIDE, arn, record

SISTER = "555566667777"
ORGANIZATION = "o-abcdef1234"
HOME = Home(ACCOUNT, ORGANIZATION, frozenset({SISTER}))


@pytest.mark.parametrize(
    ("principal", "outside"),
    [
        (ACCOUNT, False),
        (SISTER, False),
        (OUTSIDE, True),
        (arn("root"), False),
        (arn("role/x", account=SISTER), False),
        (arn("role/x", account=OUTSIDE), True),
        (f"arn:aws:iam::{OUTSIDE}:role/{ACCOUNT}", True),
        (f"arn:aws:iam::{OUTSIDE}:role/{ORGANIZATION}", True),
        ("rds.amazonaws.com", False),
        ("logs.cn-north-1.amazonaws.com.cn", False),
        ("evil.amazonaws.com.example", True),
        ("cognito-identity.amazonaws.com", True),
        ("accounts.google.com", True),
        (arn("saml-provider/corp"), False),
        (arn("saml-provider/corp", account=OUTSIDE), True),
        (ORGANIZATION, False),
        (f"arn:aws:organizations::{SISTER}:organization/{ORGANIZATION}", False),
        (f"arn:aws:organizations::{OUTSIDE}:organization/o-zzzzzzzzzz", True),
        ("*", True),
        ("all", True),
        ("public-read", True),
        ("private", False),
        ("bucket-owner-full-control", False),
        ("http://acs.amazonaws.com/groups/global/AllUsers", True),
        ("http://acs.amazonaws.com/groups/s3/LogDelivery", False),
    ],
)
def test_who_is_outside(principal: str, outside: bool) -> None:
    assert HOME.is_outside(principal) is outside


def policy(principal: Any = "*", **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "*", **more}
    return json.dumps({"Statement": [statement]})


@pytest.mark.parametrize(
    ("conditions", "outside"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}, []),
        ({"StringEquals": {"aws:SourceAccount": [ACCOUNT, SISTER]}}, []),
        ({"ArnLike": {"aws:PrincipalArn": arn("role/*")}}, []),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*"}}, []),
        ({"StringEquals": {"kms:CallerAccount": ACCOUNT}}, []),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}}, ["*"]),
        ({"StringEquals": {"aws:SourceAccount": [ACCOUNT, OUTSIDE]}}, ["*"]),
        ({"StringLike": {"aws:PrincipalArn": "*"}}, ["*"]),
        ({"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}, ["*"]),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}}, ["*"]),
        ({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*"}}, ["*"]),
        ({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, ["*"]),
        ({"StringEquals": {"aws:SourceAccount": []}}, ["*"]),
        ("not a condition", ["*"]),
    ],
)
def test_conditions_that_admit_nobody_outside(conditions: Any, outside: list[str]) -> None:
    assert HOME.outsiders(policy(Condition=conditions)) == outside


def test_policies_that_are_none_and_principals_that_are_not_named() -> None:
    for text in ("", "{", "[]", "3", json.dumps({"Statement": ["x"]}), None):
        assert HOME.outsiders(text) == []
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "*"}
    assert HOME.outsiders({"Statement": statement}) == ["*"]


def test_grants_to_the_own_account_and_to_services_are_no_shares() -> None:
    def granted(to: str) -> Kind:
        request = {"keyId": "k", "granteePrincipal": to}
        return classify(read_event(record("kms:CreateGrant", request=request)), HOME).kind

    assert granted(arn("role/app")) is Kind.CHANGED
    assert granted(arn("role/app", account=SISTER)) is Kind.CHANGED
    assert granted("rds.us-east-1.amazonaws.com") is Kind.CHANGED
    assert granted(arn("role/app", account=OUTSIDE)) is Kind.SHARED


def test_the_organization_is_asked_for(aws_lab: AwsLab, faults: Faults) -> None:
    aws = Aws(Access(region="us-east-1"))
    alone = Home.of(aws)
    assert (alone.organization, alone.note) == ("", "")
    organizations = aws_lab.client("organizations")
    made = organizations.create_organization(FeatureSet="ALL")["Organization"]
    member = organizations.create_account(Email="x@example.com", AccountName="x")
    home = Home.of(aws)
    assert home.organization == made["Id"]
    assert member["CreateAccountStatus"]["AccountId"] in home.accounts
    faults.deny("organizations", "ListAccounts")
    some = Home.of(aws)
    assert some.organization == made["Id"]
    assert "could not be listed" in some.note
    faults.deny("organizations", "DescribeOrganization")
    assert "could not be told" in Home.of(aws).note
