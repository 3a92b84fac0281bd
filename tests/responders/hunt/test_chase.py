"""What is followed, through which event, and what is not."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
from typing import Any

import pytest

from responders.hunt.subjects import Everything, Key, Role, Session, User
from responders.hunt.table import Kind
from tests.responders.hunt.conftest import Run
from tests.responders.hunt.records import (
    ACCOUNT,
    LEAKED,
    OUTSIDE,
    FakeSource,
    arn,
    by_session,
    by_user,
    minted,
    record,
)

SECOND = "AKIASECOND2222222222"
SESSION = "ASIASESSION333333333"


def test_a_key_that_a_key_made_is_followed_to_any_depth(chase: Run) -> None:
    keys = [LEAKED, *(f"AKIA{'ABCDEFGH'[n] * 16}" for n in range(8))]
    chain = [
        record(
            "iam:CreateAccessKey",
            by_user(key=key),
            at=n,
            response={"accessKey": {"accessKeyId": new, "userName": "alice"}},
        )
        for n, (key, new) in enumerate(itertools.pairwise(keys))
    ]
    last = record("ec2:RunInstances", by_user(key=keys[-1]), at=60, region="eu-west-1")
    found = chase(Key(LEAKED), {"us-east-1": chain, "eu-west-1": [last]})
    assert found.names() == ["CreateAccessKey"] * 8 + ["RunInstances"]
    assert found.followed == {f"key {key}" for key in keys[1:]}
    assert found.origin("RunInstances") == f"key {keys[-1]}"


def test_other_peoples_events_are_left_alone(chase: Run) -> None:
    mine = record("ec2:RunInstances")
    others = [
        record("ec2:RunInstances", by_user("bob", "AKIAOTHER44444444444")),
        record("iam:CreateUser", by_user("alice", "AKIAOTHER44444444444")),
    ]
    found = chase(Key(LEAKED), {"us-east-1": [mine, *others]})
    assert found.names() == ["RunInstances"]
    assert [r.actor for r in found.rows] == [arn("user/alice")]


def test_circles_end(chase: Run) -> None:
    """Two sessions that assume each other's role, for ever."""
    ring = [
        record(
            "sts:AssumeRole",
            by_session(role, "s", key),
            at=at,
            request={"roleArn": arn(f"role/{other}"), "roleSessionName": "s"},
            response=minted(new),
        )
        for at, (role, other, key, new) in enumerate(
            [
                ("a", "b", "ASIAA", "ASIAB"),
                ("b", "a", "ASIAB", "ASIAA"),
            ]
        )
    ]
    found = chase(Key("ASIAA"), {"us-east-1": ring})
    assert found.followed == {"key ASIAB"}
    assert sorted(found.source.searched) == [("us-east-1", "ASIAA"), ("us-east-1", "ASIAB")]


def test_a_new_user_is_followed_with_all_credentials(chase: Run) -> None:
    found = chase(
        Key(LEAKED),
        {
            "us-east-1": [
                record(
                    "iam:CreateUser",
                    request={"userName": "eve"},
                    response={"user": {"userName": "eve", "arn": arn("user/eve")}},
                ),
                record(
                    "iam:CreateAccessKey",
                    at=1,
                    request={"userName": "eve"},
                    response={"accessKey": {"accessKeyId": SECOND, "userName": "eve"}},
                ),
            ],
            "ap-south-1": [
                record("ec2:StopInstances", by_user("eve", SECOND), at=5),
                record("ec2:RebootInstances", by_user("eve", "ASIACONSOLE"), at=6),
            ],
        },
    )
    assert found.followed == {f"user {arn('user/eve')}", f"key {SECOND}"}
    assert found.origin("StopInstances") == f"key {SECOND}"
    assert found.origin("RebootInstances") == f"user {arn('user/eve')}"


def test_a_password_is_followed_to_the_console_only_and_from_its_time_on(chase: Run) -> None:
    bob = by_user("bob", "AKIABOB55555555555555")
    console = {"sessionCredentialFromConsole": "true"}
    found = chase(
        Key(LEAKED),
        {
            "us-east-1": [
                record("ec2:StopInstances", by_user("bob", "ASIABEFORE"), at=0, **console),
                record("iam:UpdateLoginProfile", at=10, request={"userName": "bob"}),
                record("ec2:RebootInstances", bob, at=20),
                record("ec2:StartInstances", by_user("bob", "ASIAAFTER"), at=21, **console),
            ]
        },
    )
    assert found.names() == ["UpdateLoginProfile", "StartInstances"]


def test_a_backdoored_role_is_followed_from_outside_only(chase: Run) -> None:
    role = arn("role/app")
    stranger = {"type": "AWSAccount", "principalId": "AIDASTRANGER", "accountId": OUTSIDE}
    service = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
    asked = {"roleArn": role, "roleSessionName": "x"}
    found = chase(
        Key(LEAKED),
        {
            "us-east-1": [
                record("sts:AssumeRole", stranger, at=-5, request=asked, response=minted("ASIA0")),
                record(
                    "iam:UpdateAssumeRolePolicy",
                    at=0,
                    request={
                        "roleName": "app",
                        "policyDocument": json.dumps(
                            {
                                "Statement": [
                                    {
                                        "Effect": "Allow",
                                        "Principal": {"AWS": arn("root", account=OUTSIDE)},
                                        "Action": "sts:AssumeRole",
                                    }
                                ]
                            }
                        ),
                    },
                ),
                record("sts:AssumeRole", service, at=4, request=asked, response=minted("ASIA1")),
                record("sts:AssumeRole", stranger, at=5, request=asked, response=minted(SESSION)),
            ],
            "eu-north-1": [
                record("s3:CreateBucket", by_session("app", "x", SESSION), at=6),
                record("s3:DeleteBucket", by_session("app", "i-0abc", "ASIA1"), at=6),
            ],
        },
    )
    assert found.names() == ["UpdateAssumeRolePolicy", "AssumeRole", "CreateBucket"]
    assert found.followed == {f"role-trust {role}", f"key {SESSION}"}
    (shared,) = found.index.found(Kind.SHARED, 10)
    assert (shared.id, shared.shared_with) == ("app", (arn("root", account=OUTSIDE),))


def test_a_failed_call_gives_nothing_out(chase: Run) -> None:
    found = chase(
        Key(LEAKED),
        {
            "us-east-1": [
                record(
                    "iam:CreateAccessKey",
                    error="AccessDenied",
                    response={"accessKey": {"accessKeyId": SECOND}},
                )
            ]
        },
    )
    assert found.names(Kind.ATTEMPTED) == ["CreateAccessKey"]
    assert found.followed == set()


def test_services_that_act_in_the_callers_name(chase: Run) -> None:
    service = "cloudformation.amazonaws.com"
    found = chase(
        Key(LEAKED),
        {
            "us-east-1": [
                record("ec2:RunInstances", by_user(key="ASIAEARLY", invokedBy=service), at=-60),
                record("cloudformation:CreateStack", at=0, response={"stackId": "example"}),
                record("ec2:CreateVolume", by_user(key="ASIASVC", invokedBy=service), at=1),
                record("ec2:CreateSnapshot", by_user(key=LEAKED, invokedBy=service), at=1),
                record("ec2:CreateImage", by_user(key="AKIAOTHER", invokedBy=service), at=2),
                record("ec2:CreateVpc", by_user(key="ASIASVC", invokedBy=service), at=60 * 30),
            ]
        },
    )
    assert found.names() == ["CreateStack", "CreateVolume", "CreateSnapshot"]
    assert found.origin("CreateSnapshot") == f"key {LEAKED}"
    assert found.origin("CreateVolume") == f"on-behalf {arn('user/alice')}"


def test_machines_that_were_given_a_role_are_followed(chase: Run) -> None:
    items = {"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}}
    found = chase(
        Key(LEAKED),
        {
            "us-east-1": [
                record(
                    "ec2:RunInstances",
                    request={"iamInstanceProfile": {"name": "app"}},
                    response=items,
                ),
                record("s3:ListBuckets", by_session("app", "i-0123456789abcdef0", "ASIAI"), at=3),
                record("s3:ListBuckets", by_session("app", "i-0ffffffffffffffff", "ASIAJ"), at=3),
            ]
        },
    )
    assert found.names() == ["RunInstances", "ListBuckets"]
    assert found.followed == {"host i-0123456789abcdef0"}


def test_a_role_is_hunted_by_the_names_of_its_sessions(chase: Run) -> None:
    role = arn("role/path/app")
    service = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
    assumed = [
        record(
            "sts:AssumeRole",
            service,
            at=n,
            request={"roleArn": role, "roleSessionName": "i-0abc"},
            response=minted(f"ASIA{n}"),
        )
        for n in range(5)
    ]
    found = chase(
        Role(role),
        {
            "us-east-1": assumed,
            "eu-west-1": [
                record("ec2:RunInstances", by_session("app", "i-0abc", "ASIA3"), at=9),
                record("ec2:CreateVpc", by_session("other", "i-0abc", "ASIAX"), at=9),
            ],
        },
    )
    assert found.followed == {f"session {arn('assumed-role/app/i-0abc', 'sts')}"}
    assert found.names() == ["AssumeRole"] * 5 + ["RunInstances"]


def test_names_that_two_principals_bear(chase: Run) -> None:
    records = {
        "us-east-1": [
            record("ec2:RunInstances", by_user("deploy", "AKIA1")),
            record("ec2:StopInstances", by_session("app", "deploy", "ASIA1")),
            record(
                "signin:ConsoleLogin",
                {"type": "IAMUser", "accountId": ACCOUNT, "userName": "deploy"},
                response={"ConsoleLogin": "Failure"},
                errorMessage="Failed authentication",
            ),
        ]
    }
    user = chase(User(arn("user/deploy")), records)
    assert user.names() == ["RunInstances", "ConsoleLogin"]
    assert user.names(Kind.ATTEMPTED) == ["ConsoleLogin"]


def test_a_session_by_its_arn(chase: Run) -> None:
    found = chase(
        Session(arn("assumed-role/app/deploy", "sts")),
        {
            "us-east-1": [
                record("ec2:RunInstances", by_user("deploy", "AKIA1")),
                record("ec2:StopInstances", by_session("app", "deploy", "ASIA1")),
            ]
        },
    )
    assert found.names() == ["StopInstances"]


def test_everything_leaves_reads_out_and_follows_nobody(chase: Run) -> None:
    found = chase(
        Everything(ACCOUNT),
        {
            "us-east-1": [
                record("ec2:DescribeInstances"),
                record(
                    "iam:CreateAccessKey", response={"accessKey": {"accessKeyId": SECOND}}, at=1
                ),
                record("ec2:StopInstances", by_user("bob", "AKIABOB"), at=2),
            ]
        },
    )
    assert found.names() == ["CreateAccessKey", "StopInstances"]
    assert found.followed == set()


def test_an_event_counts_once_however_often_it_is_found(chase: Run) -> None:
    one = record("ec2:RunInstances", region="eu-west-1")
    found = chase(Key(LEAKED), {"us-east-1": [one, one], "eu-west-1": [one]})
    assert found.names() == ["RunInstances"]
    assert found.chunks.close() == 1
    lines = gzip.decompress(found.saved["hunt/events-00001.jsonl.gz"]).splitlines()
    assert [json.loads(line) for line in lines] == [one]


def test_a_place_that_fails_is_named_and_stops_no_other(chase: Run) -> None:
    source = FakeSource(
        {"us-east-1": [record("ec2:RunInstances")], "eu-west-1": [], "eu-west-2": []},
        failing={"eu-west-1": TimeoutError("no answer")},
    )
    found = chase(Key(LEAKED), source)
    assert found.names() == ["RunInstances"]
    assert found.chase.outcome == {
        "us-east-1": "ok",
        "eu-west-1": "TimeoutError: no answer",
        "eu-west-2": "ok",
    }


def test_records_that_are_none_are_counted(chase: Run) -> None:
    broken = record("ec2:RunInstances")
    del broken["eventID"]
    found = chase(Key(LEAKED), {"us-east-1": [broken, record("ec2:StopInstances")]})
    assert found.names() == ["StopInstances"]
    assert found.chase.unreadable == 1


def test_stopping_keeps_what_was_found_and_says_so(chase: Run) -> None:
    stop = threading.Event()

    class Stopping(FakeSource):
        def search(self, place, leads, window):  # type: ignore[no-untyped-def]
            for page in super().search(place, leads, window):
                stop.set()
                yield page

    source = Stopping({"us-east-1": [record("ec2:RunInstances", at=n) for n in range(6)]}, page=2)
    found = chase(Key(LEAKED), source, stop=stop)
    assert len(found.rows) == 2
    assert "interrupted" in found.chase.outcome["us-east-1"]


def test_a_subject_found_again_is_followed_for_the_time_of_both(chase: Run) -> None:
    """Two calls of CloudFormation, days apart: what it did after each counts."""
    service = "cloudformation.amazonaws.com"
    day = 60 * 24
    found = chase(
        Key(LEAKED),
        {
            "us-east-1": [
                record("cloudformation:CreateStack", at=0),
                record("cloudformation:UpdateStack", at=3 * day),
                record("ec2:CreateVolume", by_user(key="ASIASVC", invokedBy=service), at=60),
                record("ec2:CreateImage", by_user(key="ASIASVC", invokedBy=service), at=3.5 * day),
                record("ec2:CreateVpc", by_user(key="ASIASVC", invokedBy=service), at=9 * day),
            ]
        },
    )
    assert set(found.names()) == {"CreateStack", "UpdateStack", "CreateVolume", "CreateImage"}
    (lead,) = found.chase.leads[1:]
    assert lead.origin is not None
    assert lead.origin.name == "CreateStack"


def test_more_leads_than_are_followed_are_counted(
    chase: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.hunt.chase.MOST_LEADS", 3)
    made = [
        record("sts:GetSessionToken", at=n, response=minted(f"ASIA{n}"), read=True)
        for n in range(5)
    ]
    found = chase(Key(LEAKED), {"us-east-1": made})
    assert len(found.followed) == 2
    assert found.chase.not_followed == 3


def test_a_hunt_needs_a_place(chase: Run) -> None:
    with pytest.raises(ValueError, match="at least one place"):
        chase(Key(LEAKED), {})


def test_a_disk_that_is_full_is_the_place_s_error(chase: Run) -> None:
    class Full(FakeSource):
        def search(self, place, leads, window):  # type: ignore[no-untyped-def]
            yield from super().search(place, leads, window)
            raise OSError(28, "No space left on device")

    found = chase(Key(LEAKED), Full({"us-east-1": [record("ec2:RunInstances")]}))
    assert found.names() == ["RunInstances"]
    assert "No space left" in found.chase.outcome["us-east-1"]


def test_functions_and_tasks_are_followed_by_their_names(chase: Run) -> None:
    found = chase(
        Key(LEAKED),
        {
            "us-east-1": [
                record(
                    "lambda:CreateFunction20150331",
                    request={"functionName": "f", "role": arn("role/path/app")},
                ),
                record(
                    "ecs:RunTask",
                    response={"tasks": [{"taskArn": "arn:aws:ecs:us-east-1:1:task/c/0123abc"}]},
                ),
                record("lambda:CreateFunction20150331", request={"functionName": "g", "role": "x"}),
                record("s3:DeleteBucket", by_session("app", "f", "ASIA1"), at=1),
                record("s3:CreateBucket", by_session("other", "f", "ASIA2"), at=1),
                record("s3:PutObject", by_session("task", "0123abc", "ASIA3"), at=1),
            ]
        },
    )
    assert found.followed == {
        f"session {arn('assumed-role/app/f', 'sts')}",
        "host 0123abc",
    }
    assert set(found.names()) >= {"DeleteBucket", "PutObject"}
    assert "CreateBucket" not in found.names()


def test_a_credential_traded_for_the_console(chase: Run) -> None:
    console = {"sessionCredentialFromConsole": "true"}
    found = chase(
        Key("ASIALEAK"),
        {
            "us-east-1": [
                record("signin:GetSigninToken", by_session("app", "s", "ASIALEAK"), read=False),
                record("ec2:StopInstances", by_session("app", "s", "ASIACONSOLE"), at=1, **console),
                record("ec2:StartInstances", by_session("app", "s", "ASIAOTHER"), at=1),
            ]
        },
    )
    assert set(found.names()) == {"GetSigninToken", "StopInstances"}


def test_an_addendum_is_the_same_event_and_brings_what_the_first_record_lacked(chase: Run) -> None:
    first = record("iam:CreateAccessKey", request={"userName": "eve"}, response=None)
    addendum = {
        **first,
        "eventID": "99999999-0000-0000-0000-000000000000",
        "responseElements": {"accessKey": {"accessKeyId": "AKIANEW"}},
        "addendum": {
            "reason": "UPDATED_DATA",
            "updatedFields": "responseElements",
            "originalEventID": first["eventID"],
        },
    }
    done = record("ec2:CreateKeyPair", by_user("eve", "AKIANEW"), at=3)
    for records in ([first, addendum, done], [addendum, first, done]):
        run = chase(Key(LEAKED), {"us-east-1": records})
        assert run.names() == ["CreateAccessKey", "CreateKeyPair"]
        assert run.followed == {"key AKIANEW"}


def test_insights_events_are_counted_and_are_nobody_s(chase: Run) -> None:
    insight = {
        "eventID": "1",
        "eventTime": "2026-03-01T12:00:00Z",
        "awsRegion": "us-east-1",
        "eventCategory": "Insight",
        "eventType": "AwsCloudTrailInsight",
        "insightDetails": {"eventName": "RunInstances", "eventSource": "ec2.amazonaws.com"},
    }
    run = chase(Key(LEAKED), {"us-east-1": []})
    assert run.chase.take_in([insight]) == 0
    assert (run.chase.insights, run.chase.unreadable) == (1, 0)


def test_events_of_every_category_count(chase: Run) -> None:
    """A network activity event has a caller and a name like any other."""
    data = record("s3:GetObject", eventCategory="Data", managementEvent=False)
    network = record("s3:PutObject", eventCategory="NetworkActivity", error="VpceAccessDenied")
    run = chase(Key(LEAKED), {"us-east-1": [data, network]})
    assert sorted(run.names()) == ["GetObject", "PutObject"]


def test_a_record_nested_beyond_reason_ends_no_search(chase: Run) -> None:
    deep: Any = "i-0123456789abcdef0"
    for _ in range(950):
        deep = {"item": deep}
    fleet = record("ec2:CreateFleet", response={"fleetInstanceSet": {"instanceIds": deep}})
    unlisted = record("ec2:CreateFlowLogs", response={"flowLogIdSet": deep}, at=1)
    after = record("ec2:CreateVpc", at=2)
    run = chase(Key(LEAKED), {"us-east-1": [fleet, unlisted, after]})
    assert run.chase.outcome == {"us-east-1": "ok"}
    assert "CreateVpc" in run.names()
    assert run.chase.unreadable >= 1
