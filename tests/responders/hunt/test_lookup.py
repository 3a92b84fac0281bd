"""Event history: every page, at the allowed rate, whatever AWS says in between."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from lab.mended import TRAIL
from responders.aws import Access, Aws, code_of
from responders.hunt import lookup
from responders.hunt.lead import Lead
from responders.hunt.lookup import EventHistory, Interrupted, StillThrottled
from responders.hunt.source import Window
from responders.hunt.subjects import Key
from tests.conftest import AwsLab
from tests.responders.hunt.records import LEAKED, record

REGION = "eu-west-1"
NOW = datetime.now(UTC).replace(microsecond=0)
WINDOW = Window(NOW - timedelta(days=90), NOW + timedelta(minutes=1))


@pytest.fixture
def aws(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setattr(lookup, "PER_SECOND", 10_000.0)
    monkeypatch.setattr(lookup, "SHORTEST_PAUSE", 0.01)
    return Aws(Access(region=REGION))


def plant(count: int, minutes: float = 1.0) -> set[str]:
    """So many events of the leaked key, one every so many minutes; gives their ids."""
    made = [record("ec2:StopInstances", region=REGION) for _ in range(count)]
    for number, one in enumerate(made):
        at = NOW - timedelta(minutes=minutes * number)
        one["eventTime"] = at.isoformat().replace("+00:00", "Z")
    TRAIL.plant(*made)
    return {one["eventID"] for one in made}


def found(aws: Aws, stop: threading.Event | None = None, **lead: Any) -> list[str]:
    history = EventHistory(aws, [REGION], stop or threading.Event())
    pages = history.search(REGION, [Lead(0, Key(LEAKED), **lead)], WINDOW)
    return [one["eventID"] for page in pages for one in page]


def test_every_page_is_read(aws: Aws, calls: Calls) -> None:
    planted = plant(120)
    ids = found(aws)
    assert set(ids) == planted
    assert len(ids) == 120
    lookups = calls.of("cloudtrail", "LookupEvents")
    assert [("NextToken" in c.params) for c in lookups] == [False, True, True]
    assert all(c.params["MaxResults"] == 50 for c in lookups)


def test_no_page_is_lost_under_throttling(aws: Aws, faults: Faults, calls: Calls) -> None:
    planted = plant(170)
    throttles = iter([0, 3, 1, 2])
    left = [next(throttles)]

    def some(_call: Any) -> bool:
        if left[0]:
            left[0] -= 1
            return True
        left[0] = next(throttles, 0)
        return False

    faults.throttle("cloudtrail", "LookupEvents", only=some)
    ids = found(aws)
    assert (len(ids), set(ids)) == (170, planted)
    lookups = calls.of("cloudtrail", "LookupEvents")
    tokens = [(c.params.get("NextToken", ""), c.error) for c in lookups]
    for token in {token for token, _ in tokens}:
        errors = [error for t, error in tokens if t == token]
        assert errors[-1] == ""
        assert set(errors[:-1]) <= {"ThrottlingException"}
    assert [error for _, error in tokens].count("ThrottlingException") == 6


def test_the_lab_allows_two_a_second_and_that_suffices(
    aws_lab: AwsLab, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = plant(120)
    TRAIL.limit(2.0)
    try:
        assert set(found(Aws(Access(region=REGION)))) == planted
    finally:
        TRAIL.limit(None)
    assert {c.error for c in calls.of("cloudtrail")} == {""}


def test_throttling_without_end_gives_up(
    aws: Aws, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "PATIENCE", timedelta(seconds=0.4))
    faults.throttle("cloudtrail", "LookupEvents")
    with pytest.raises(StillThrottled, match="throttled"):
        found(aws)


def test_a_stale_token_goes_on_from_the_oldest_event(
    aws: Aws, faults: Faults, calls: Calls
) -> None:
    planted = plant(120)
    stale = iter([False, False, True])
    faults.fail(
        "cloudtrail",
        "LookupEvents",
        "InvalidNextTokenException",
        only=lambda _call: next(stale, False),
    )
    ids = found(aws)
    assert set(ids) == planted
    restarted = calls.of("cloudtrail", "LookupEvents")[3]
    assert "NextToken" not in restarted.params
    assert restarted.params["EndTime"].replace(tzinfo=UTC) == NOW - timedelta(minutes=99)


def test_tokens_that_are_always_stale_are_an_error(aws: Aws, faults: Faults) -> None:
    plant(120, minutes=0)
    faults.fail(
        "cloudtrail",
        "LookupEvents",
        "InvalidNextTokenException",
        only=lambda call: "NextToken" in call.params,
    )
    with pytest.raises(Exception, match="InvalidNextToken") as caught:
        found(aws)
    assert code_of(caught.value) == "InvalidNextTokenException"


def test_a_region_that_fails_twice_is_asked_a_third_time(
    aws: Aws, faults: Faults, calls: Calls
) -> None:
    planted = plant(3)
    faults.unreachable("cloudtrail", "LookupEvents", times=2)
    assert set(found(aws)) == planted
    assert [c.error for c in calls.of("cloudtrail")] == ["lost", "lost", ""]


def test_a_region_out_of_reach_is_an_error(aws: Aws, faults: Faults, calls: Calls) -> None:
    faults.unreachable("cloudtrail", "LookupEvents")
    with pytest.raises(Exception, match="closed"):
        found(aws)
    assert len(calls.of("cloudtrail")) == lookup.TRIES


def test_no_permission_is_an_error_at_once(aws: Aws, faults: Faults, calls: Calls) -> None:
    faults.deny("cloudtrail", "LookupEvents")
    with pytest.raises(Exception, match="AccessDenied"):
        found(aws)
    assert len(calls.of("cloudtrail")) == 1


def test_a_lead_is_looked_up_for_its_own_time(aws: Aws, calls: Calls) -> None:
    plant(100)
    ids = found(aws, since=NOW - timedelta(minutes=9), until=NOW - timedelta(minutes=5))
    assert len(ids) == 5
    (asked,) = calls.of("cloudtrail")
    assert asked.params["StartTime"].replace(tzinfo=UTC) == NOW - timedelta(minutes=9)


def test_older_than_event_history_is_not_asked_for(aws: Aws, calls: Calls) -> None:
    history = EventHistory(aws, [REGION], threading.Event())
    old = Window(NOW - timedelta(days=400), NOW)
    assert list(history.search(REGION, [Lead(0, Key(LEAKED))], old)) == [[]]
    (asked,) = calls.of("cloudtrail")
    assert asked.params["StartTime"].replace(tzinfo=UTC) == NOW - timedelta(days=90)


def test_stopping_ends_the_wait(aws: Aws) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        found(aws, stop)


def test_an_event_without_a_record_is_handed_on_for_the_hunt_to_count() -> None:
    assert lookup._record({"EventId": "x"}) is None
    assert lookup._record({"CloudTrailEvent": "{"}) is None
    assert lookup._record({"CloudTrailEvent": "[" * 100_000}) is None
