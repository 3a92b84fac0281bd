"""Records are read whole, or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from responders.hunt.event import read_event
from responders.hunt.paths import pick, text, texts
from tests.responders.hunt.records import ACCOUNT, LEAKED, arn, by_session, record


def test_a_record_is_read() -> None:
    event = read_event(record("ec2:RunInstances", at=1.5, region="eu-west-1"))
    assert (event.service, event.name, event.region) == ("ec2", "RunInstances", "eu-west-1")
    assert (event.key, event.arn, event.username) == (LEAKED, arn("user/alice"), "alice")
    assert event.time == datetime(2026, 3, 1, 12, 1, 30, tzinfo=UTC)
    assert set(event.attributes) == {
        ("AccessKeyId", LEAKED),
        ("Username", "alice"),
        ("EventName", "RunInstances"),
        ("ReadOnly", "false"),
    }


def test_a_session_is_named_after_itself() -> None:
    event = read_event(record("ec2:RunInstances", by_session("app", "s@example.com", "ASIA1")))
    assert event.username == "s@example.com"
    assert event.issuer == arn("role/app")


def test_the_root_user() -> None:
    event = read_event(record("ec2:RunInstances", {"type": "Root", "arn": arn("root")}))
    assert event.username == "root"


@pytest.mark.parametrize(
    "missing", ["eventID", "eventTime", "eventName", "eventSource", "awsRegion"]
)
def test_what_a_record_must_have(missing: str) -> None:
    broken = record("ec2:RunInstances")
    broken[missing] = None
    with pytest.raises(ValueError, match=missing):
        read_event(broken)


def test_a_time_that_is_none() -> None:
    with pytest.raises(ValueError, match="01/03/2026"):
        read_event({**record("ec2:RunInstances"), "eventTime": "01/03/2026"})


@pytest.mark.parametrize("identity", ["x", [], None, {"sessionContext": 3}])
def test_an_identity_that_is_none(identity: Any) -> None:
    event = read_event({**record("ec2:RunInstances"), "userIdentity": identity})
    assert (event.key, event.arn, event.recipient) == ("", "", ACCOUNT)


def test_a_failed_sign_in_is_an_error_though_it_has_no_code() -> None:
    event = read_event(
        record(
            "signin:ConsoleLogin",
            response={"ConsoleLogin": "Failure"},
            errorMessage="Failed authentication",
        )
    )
    assert event.error == "Failed authentication"


def test_paths() -> None:
    value = {"a": {"b": [{"c": 1}, {"c": "x"}, {"d": {"c": None}}]}, "e": [1, 2]}
    assert pick(value, "a.b.*.c") == [1, "x"]
    assert pick(value, "..c") == pick(value, "a..c") == [1, "x"]
    assert texts(value, "a.b.*.c") == ["1", "x"]
    assert text(value, "a.b") == text(value, "nothing.here") == ""
    assert pick(value, "e.*") == [1, 2]


def test_half_a_surrogate_pair_can_be_written() -> None:
    assert text({"a": "x\ud800y"}, "a").encode() == rb"x\ud800y"


def test_depth_breaks_nothing() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert pick(deep, "..b") == []
