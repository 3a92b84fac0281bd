"""Operations that give out credentials: each is classified, and what it gives out is followed."""

from __future__ import annotations

from typing import Any

import pytest

from responders.hunt.classify import classify
from responders.hunt.event import read_event
from responders.hunt.follow import Account
from responders.hunt.given import given
from responders.hunt.lead import Confidence
from responders.hunt.look_here import look_here
from responders.hunt.subjects import Key, Role
from responders.hunt.table import Follow, Kind, Minting, table
from tests.responders.hunt.conftest import Run
from tests.responders.hunt.models import minters
from tests.responders.hunt.records import ACCOUNT, LEAKED, arn, by_session, by_user, minted, record

HERE = Account(ACCOUNT, "aws", lambda kind, name: arn(f"{kind}/{name}"))
THIEF = Key(LEAKED)


def test_every_operation_that_answers_with_a_credential_is_classified() -> None:
    """Over botocore's installed models: add a new operation to events.toml, under `minting`."""
    found = minters()
    assert len(found) > 100
    known = table().mintings
    unclassified = {
        f"{one.label} {one.members}"
        for one in found
        if not any((service, one.operation) in known for service in one.services)
    }
    assert unclassified == set()


def test_operations_that_answer_with_a_key_and_its_secret_are_followed_or_say_why() -> None:
    keys = [one for one in minters() if any("accesskeyid" in m.lower() for m in one.members)]
    assert len(keys) > 30
    known = table().mintings
    classes = {
        one.label: known[service, one.operation].follow
        for one in keys
        for service in one.services
        if (service, one.operation) in known
    }
    assert {label for label, follow in classes.items() if follow is Follow.NO} == set()
    looked_at = {label for label, follow in classes.items() if follow is Follow.LOOK}
    assert looked_at == {"lightsail:GetBucketAccessKeys"}


@pytest.mark.parametrize("text", ["follow: why", "look", "no", "perhaps: why"])
def test_a_class_is_one_of_three_and_only_two_need_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"perhaps|look: why"):
        Minting.parse(text)


OWN_RULES = {
    "sso:GetRoleCredentials",
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
    "ssm:StartSession",
    "ssm:ResumeSession",
    "ecs:ExecuteCommand",
}
"""Followed, but not by a key in the answer: each has a test of its own."""


def test_the_key_in_the_answer_is_followed_whatever_the_operation() -> None:
    for (service, name), minting in table().mintings.items():
        call = f"{service}:{name}"
        answer = {"accessKey" if service in ("iam", "lightsail") else "x": {"accessKeyId": "ASIA1"}}
        event = read_event(record(call, response=answer))
        followed = {one.subject for one in given(event, THIEF, HERE)}
        if minting.is_followed and call not in OWN_RULES:
            assert Key("ASIA1") in followed, call
            assert classify(event).kind is not Kind.READ, call
        failed = read_event(record(call, response=answer, error="AccessDenied"))
        assert given(failed, THIEF, HERE) == [], call


def test_what_is_not_followed_says_where_to_look() -> None:
    looked_at = [name for name, one in table().mintings.items() if one.follow is Follow.LOOK]
    assert len(looked_at) > 30
    for service, name in looked_at:
        event = read_event(record(f"{service}:{name}", read=True))
        hint = look_here(event, "key K")
        assert hint is not None, name
        assert hint.why
        assert classify(event).kind is not Kind.READ, name
    harmless = read_event(record("cognito-idp:DescribeUserPoolClient", read=True))
    assert look_here(harmless, "key K") is None
    assert classify(harmless).kind is Kind.READ


def test_keys_of_newer_calls_are_followed_to_what_they_did(chase: Run) -> None:
    """`GetDelegatedAccessToken` and others mint keys as AssumeRole does; so does `aws login`."""
    calls = ["sts:GetDelegatedAccessToken", "sts:GetScopedCredentials", "sso:GetRoleCredentials"]
    calls += ["signin:CreateOAuth2Token", "sts:AssumeRoot", "ssm:GetAccessToken"]
    answers: list[dict[str, Any]] = [
        {"credentials": {"accessKeyId": f"ASIA{n}"}} for n in range(len(calls))
    ]
    answers[3] = {"tokenOutput": {"accessToken": {"accessKeyId": "ASIA3"}}}
    steps = [
        record(call, by_user(key=LEAKED if not n else f"ASIA{n - 1}"), at=n, response=answers[n])
        for n, call in enumerate(calls)
        if call != "sso:GetRoleCredentials"
    ]
    steps[2]["userIdentity"]["accessKeyId"] = "ASIA1"
    done = record("ec2:CreateKeyPair", by_user(key="ASIA5"), at=20)
    run = chase(Key(LEAKED), {"us-east-1": [*steps, done]})
    assert {f"key ASIA{n}" for n in (0, 1, 3, 4, 5)} <= run.followed
    assert run.origin("CreateKeyPair") == "key ASIA5"


def test_a_key_that_the_record_hides_is_looked_for_by_its_principal(chase: Run) -> None:
    hidden = record("sts:GetSessionToken", response=None)
    used = record("ec2:CreateKeyPair", by_user(key="ASIAHIDDEN"), at=5)
    honest = record("ec2:CreateVolume", by_user(key="AKIAHONEST"), at=6)
    late = record("ec2:CreateVpc", by_user(key="ASIALATER"), at=60 * 40)
    run = chase(Key(LEAKED), {"us-east-1": [hidden, used, honest, late]})
    assert run.names() == ["GetSessionToken", "CreateKeyPair"]
    (lead,) = run.chase.leads[1:]
    assert (lead.subject.kind, lead.confidence) == ("unnamed-keys", Confidence.POSSIBLE)


def test_a_hidden_key_of_a_role_is_looked_for_by_the_session(chase: Run) -> None:
    role = arn("role/deploy")
    hidden = record("sts:AssumeRole", request={"roleArn": role, "roleSessionName": "mallory"})
    used = record("ec2:CreateKeyPair", by_session("deploy", "mallory", "ASIA1"), at=5)
    run = chase(Key(LEAKED), {"us-east-1": [hidden, used]})
    assert run.names() == ["AssumeRole", "CreateKeyPair"]
    assert all(lead.is_certain for lead in run.chase.leads)


def test_an_identity_center_user_is_followed_into_the_role(chase: Run) -> None:
    minting = record(
        "sso:GetRoleCredentials",
        {"type": "IdentityCenterUser", "userName": "alice@example.com", "accountId": ACCOUNT},
        read=False,
        serviceEventDetails={"role_name": "Admin", "account_id": ACCOUNT},
    )
    minting["userIdentity"]["accessKeyId"] = LEAKED
    role = "AWSReservedSSO_Admin_0123456789abcdef"
    done = record("ec2:CreateKeyPair", by_session(role, "alice@example.com", "ASIA1"), at=5)
    other = record(
        "ec2:CreateVolume", by_session("AWSReservedSSO_ReadOnly_0", "alice@example.com", "ASIA2")
    )
    run = chase(Key(LEAKED), {"us-east-1": [minting, done, other]})
    assert run.names() == ["GetRoleCredentials", "CreateKeyPair"]
    assert run.followed == {"permission-set Admin/alice@example.com"}


def test_a_bearer_token_is_followed_by_its_mark(chase: Run) -> None:
    """A Bedrock API key: its calls name the user and no key."""
    made = record(
        "iam:CreateServiceSpecificCredential",
        request={"userName": "bedrock", "serviceName": "bedrock.amazonaws.com"},
        response={"serviceSpecificCredential": {"userName": "bedrock"}},
    )
    who = by_user("bedrock", "")
    del who["accessKeyId"]
    bearer = {"additionalEventData": {"callWithBearerToken": True}}
    used = record("bedrock:InvokeModel", who, at=5, **bearer)
    other = record("bedrock:Converse", by_user("bedrock", "AKIAOTHER"), at=6)
    run = chase(Key(LEAKED), {"us-east-1": [made, used, other]})
    assert run.names() == ["CreateServiceSpecificCredential", "InvokeModel"]
    assert run.followed == {f"bearer-token {arn('user/bedrock')}"}


def test_the_console_after_aws_login(chase: Run) -> None:
    traded = record("signin:CreateOAuth2Token", response=minted("ASIA1"))
    console = record(
        "iam:CreateUser", by_user(key="ASIA2"), at=3, sessionCredentialFromConsole="true"
    )
    run = chase(Key(LEAKED), {"us-east-1": [traded, console]})
    assert run.names() == ["CreateOAuth2Token", "CreateUser"]


def test_a_role_as_a_whole_is_followed_by_its_sessions() -> None:
    role = Role(arn("role/app"))
    asked = {"roleArn": role.value, "roleSessionName": "i-0abc"}
    event = read_event(record("sts:AssumeRole", request=asked, response=minted("ASIA1")))
    (one,) = given(event, role, HERE)
    assert one.subject.value == arn("assumed-role/app/i-0abc", "sts")
