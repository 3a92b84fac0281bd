"""What events mean: the table, the verbs, and what a thing was shared with."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import resources
from typing import Any

import pytest

from responders.hunt.classify import Thing, classify
from responders.hunt.event import read_event
from responders.hunt.inventory import inventory
from responders.hunt.paths import HIDDEN
from responders.hunt.table import Kind, plain, table
from tests.responders.hunt.records import ACCOUNT, OUTSIDE, arn, record


def deed(call: str, **more: Any) -> Any:
    return classify(read_event(record(call, **more)))


def policy(*principals: str, effect: str = "Allow", kind: str = "AWS") -> str:
    statement = {"Effect": effect, "Principal": {kind: list(principals)}, "Action": "*"}
    return json.dumps({"Statement": [statement]})


def test_no_event_is_in_two_tables() -> None:
    """TOML would not tell: the later one would win."""
    text = resources.files("responders.hunt").joinpath("events.toml").read_text()
    group, service, seen = "", "", Counter[str]()
    for line in text.splitlines():
        if section := re.fullmatch(r"\[([\w-]+)\.([\w-]+)\]", line):
            group = section[1] if section[1] in ("minting", "look") else ""
            service = section[2]
        elif name := re.match(r"([A-Z]\w+) = ", line):
            seen[f"{group} {service}:{name[1]}"] += 1
    assert len(seen) > 400
    assert {name: n for name, n in seen.items() if n > 1} == {}


def test_every_remedy_and_look_is_for_a_type_that_events_make() -> None:
    types = {place.type for m in table().meanings.values() for place in m.places}
    assert set(inventory()) - types == set()


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("ec2:RunInstances", Kind.CREATED),
        ("iam:CreateUser", Kind.CREATED),
        ("sts:GetFederationToken", Kind.MINTED),
        ("cloudtrail:StopLogging", Kind.ANTI_FORENSICS),
        ("cloudtrail:DeleteTrail", Kind.ANTI_FORENSICS),
        ("cloudtrail:PutEventSelectors", Kind.ANTI_FORENSICS),
        ("ec2:DeleteFlowLogs", Kind.ANTI_FORENSICS),
        ("guardduty:DeleteDetector", Kind.ANTI_FORENSICS),
        ("ec2:TerminateInstances", Kind.DESTROYED),
        ("kms:ScheduleKeyDeletion", Kind.DESTROYED),
        ("iam:AttachUserPolicy", Kind.CHANGED),
        ("ec2:CreateTags", Kind.CHANGED),
        ("secretsmanager:GetSecretValue", Kind.READ),
        ("kms:Decrypt", Kind.READ),
        ("lambda:CreateFunction20150331", Kind.CREATED),
        ("lambda:UpdateFunctionCode20150331v2", Kind.CHANGED),
        ("newservice:CreateWidget", Kind.CREATED),
        ("newservice:DeleteWidget", Kind.DESTROYED),
        ("newservice:ListWidgets", Kind.READ),
        ("newservice:FrobnicateWidget", Kind.CHANGED),
    ],
)
def test_kinds(call: str, kind: Kind) -> None:
    assert deed(call).kind is kind
    assert deed(call, error="Client.UnauthorizedOperation").kind is Kind.ATTEMPTED


def test_a_read_only_event_that_nobody_knows_is_a_read() -> None:
    assert deed("newservice:FrobnicateWidget", read=True).kind is Kind.READ


def test_verbs_are_whole_words() -> None:
    assert table().by_verb("Runtime") is Kind.CHANGED
    assert table().by_verb("RunWidget") is Kind.CREATED
    assert plain("CreateDistribution2020_05_31") == "CreateDistribution"


@pytest.mark.parametrize(
    ("call", "request_", "response", "things"),
    [
        (
            "ec2:RunInstances",
            {},
            {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}},
            [("AWS::EC2::Instance", "i-1", ""), ("AWS::EC2::Instance", "i-2", "")],
        ),
        (
            "iam:CreateAccessKey",
            None,
            {"accessKey": {"accessKeyId": "AKIA1", "userName": "eve"}},
            [("AWS::IAM::AccessKey", "AKIA1", "eve")],
        ),
        (
            "ec2:CreateKeyPair",
            {"keyName": "evil"},
            None,
            [("AWS::EC2::KeyPair", "evil", "")],
        ),
        (
            "ec2:CreateLaunchTemplate",
            {},
            {"CreateLaunchTemplateResponse": {"launchTemplate": {"launchTemplateId": "lt-1"}}},
            [("AWS::EC2::LaunchTemplate", "lt-1", "")],
        ),
        (
            "newservice:CreateWidget",
            {"widgetName": "w"},
            {"widget": {"size": 3, "widgetArn": "arn:w"}},
            [("newservice::Widget", "arn:w", "")],
        ),
        ("ec2:RunInstances", {}, None, [("AWS::EC2::Instance", "", "")]),
        (
            "ec2:DeleteFlowLogs",
            {"DeleteFlowLogsRequest": {"FlowLogId": [{"tag": 1, "content": "fl-1"}]}},
            None,
            [("AWS::EC2::FlowLog", "fl-1", "")],
        ),
        (
            "ec2:DeleteFlowLogs",
            {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-1"}}},
            None,
            [("AWS::EC2::FlowLog", "fl-1", "")],
        ),
        ("cloudtrail:StopLogging", None, None, [("AWS::CloudTrail::Trail", "", "")]),
        (
            "iam:CreateUser",
            {},
            {"user": {"userName": HIDDEN}},
            [("AWS::IAM::User", "", "")],
        ),
    ],
)
def test_things(call: str, request_: Any, response: Any, things: list[tuple[str, ...]]) -> None:
    found = deed(call, request=request_, response=response)
    assert found.things == tuple(Thing(*thing) for thing in things)


@pytest.mark.parametrize(
    ("call", "request_", "to"),
    [
        (
            "ec2:ModifySnapshotAttribute",
            {
                "snapshotId": "snap-1",
                "createVolumePermission": {"add": {"items": [{"userId": OUTSIDE}]}},
            },
            (OUTSIDE,),
        ),
        (
            "ec2:ModifyImageAttribute",
            {"imageId": "ami-1", "launchPermission": {"add": {"items": [{"group": "all"}]}}},
            ("all",),
        ),
        (
            "rds:ModifyDBSnapshotAttribute",
            {"dBSnapshotIdentifier": "s", "valuesToAdd": [OUTSIDE]},
            (OUTSIDE,),
        ),
        (
            "iam:UpdateAssumeRolePolicy",
            {"roleName": "app", "policyDocument": policy(arn("root", account=OUTSIDE))},
            (arn("root", account=OUTSIDE),),
        ),
        (
            "s3:PutBucketPolicy",
            {"bucketName": "b", "bucketPolicy": json.loads(policy("*"))},
            ("*",),
        ),
    ],
)
def test_shares(call: str, request_: Any, to: tuple[str, ...]) -> None:
    found = deed(call, request=request_)
    assert (found.kind, found.to) == (Kind.SHARED, to)


@pytest.mark.parametrize(
    "document",
    [
        policy(arn("role/app")),
        policy(ACCOUNT),
        policy(arn("root", account=OUTSIDE), effect="Deny"),
        policy("ec2.amazonaws.com", kind="Service"),
        "no policy",
        "[" * 100_000,
        "null",
    ],
)
def test_a_policy_for_nobody_outside_is_a_change(document: str) -> None:
    found = deed(
        "iam:UpdateAssumeRolePolicy", request={"roleName": "app", "policyDocument": document}
    )
    assert (found.kind, found.to) == (Kind.CHANGED, ())


def test_ending_a_share_is_a_change() -> None:
    request = {
        "snapshotId": "snap-1",
        "createVolumePermission": {"remove": {"items": [{"userId": OUTSIDE}]}},
    }
    assert deed("ec2:ModifySnapshotAttribute", request=request).kind is Kind.CHANGED


@pytest.mark.parametrize("odd", [None, [], "text", 3, {"instancesSet": 5}, {"user": ["x"]}])
def test_odd_members_break_nothing(odd: Any) -> None:
    for call in ("ec2:RunInstances", "iam:CreateUser", "newservice:CreateWidget"):
        assert deed(call, request=odd, response=odd).kind is Kind.CREATED
