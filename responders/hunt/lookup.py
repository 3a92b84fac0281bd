"""CloudTrail's event history: `LookupEvents`, 90 days of management events, per region.

It takes one attribute a call, gives 50 events a page, the newest first, and allows 2 requests a
second per account and region (CloudTrail API reference and user guide, "Quotas"). It is on in every
account, and goes on when somebody stops or deletes a trail.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from responders.aws import Aws, code_of
from responders.hunt.event import Attribute
from responders.hunt.lead import Lead
from responders.hunt.pace import Pace
from responders.hunt.source import Conclusion, Page, Window
from responders.json_values import Json
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_cloudtrail.literals import LookupAttributeKeyType
    from types_boto3_cloudtrail.type_defs import (
        EventTypeDef,
        LookupEventsRequestTypeDef,
        LookupEventsResponseTypeDef,
    )

PERMISSIONS = (
    allow(
        "cloudtrail:LookupEvents",
        because="hunts for what a key or a principal did",
        risk="reads who did what in the account, for 90 days",
    ),
)
HISTORY = timedelta(days=90)
PER_SECOND = 2.0
"""Requests a second, per region."""
PAGE = 50
PATIENCE = timedelta(minutes=15)
"""How long a page is asked for again while AWS says that the rate is exceeded."""
TRIES = 3
"""Times that a page is asked for when the region does not answer, or fails."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 20.0
"""Seconds to wait when AWS says that the rate is exceeded; doubled each time on end."""
THROTTLED = {
    "ThrottlingException",
    "Throttling",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}
BROKEN = {"InternalFailure", "InternalError", "InternalServerError", "ServiceUnavailable", "500"}
STALE_TOKEN = {"InvalidNextTokenException", "ExpiredNextTokenException"}


class Interrupted(Exception):
    """The hunt was stopped while it waited."""


class StillThrottled(Exception):
    """AWS allowed no request for as long as the hunt was patient."""


class EventHistory:
    """Event history of the given regions. Leads of one region are looked up one after another."""

    def __init__(self, aws: Aws, regions: Sequence[str], stop: threading.Event) -> None:
        self.places = tuple(regions)
        self._aws, self._stop = aws, stop
        self._paces = {region: Pace(PER_SECOND) for region in regions}

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """Every page of every lookup of the leads."""
        for lead in leads:
            start = max(window.since([lead]), window.end - HISTORY)
            end = min(window.end, lead.until or window.end)
            for attribute in lead.subject.lookups if start <= end else ():
                yield from self._pages(place, attribute, start, end)

    def conclude(self, window: Window) -> Conclusion:
        """Nothing: what fails, fails a whole place."""
        return Conclusion()

    def newest(self, place: str, attribute: Attribute) -> Page:
        """The newest page of one lookup."""
        end = datetime.now(UTC)
        answer = self._page(place, _request(attribute, end - HISTORY, end, ""))
        return [_record(event) for event in answer["Events"]]

    def _pages(
        self, region: str, attribute: Attribute, start: datetime, end: datetime
    ) -> Iterator[Page]:
        """All pages; where a token has gone stale, goes on from the oldest event that was seen.

        Events of that second come again then; the hunt tells events apart by their id.
        """
        token = ""
        oldest = end
        while True:
            try:
                answer = self._page(region, _request(attribute, start, end, token))
            except Exception as error:
                if code_of(error) not in STALE_TOKEN or oldest == end:
                    raise
                end, token = oldest, ""
                continue
            events = answer["Events"]
            yield [_record(event) for event in events]
            token = answer.get("NextToken", "")
            if not token:
                return
            oldest = min([oldest, *(event["EventTime"] for event in events)])

    def _page(
        self, region: str, request: LookupEventsRequestTypeDef
    ) -> LookupEventsResponseTypeDef:
        """One page, asked for again and again with the same token until it is had."""
        client = self._aws.client("cloudtrail", region, attempts=1)
        pace = self._paces[region]
        held = pause = 0.0
        left = TRIES
        while True:
            if not pace.wait(self._stop):
                raise Interrupted("interrupted")
            try:
                return client.lookup_events(**request)
            except Exception as error:
                if code_of(error) in THROTTLED:
                    pause = min(max(SHORTEST_PAUSE, pause * 2), LONGEST_PAUSE)
                    held += pause
                    if held > PATIENCE.total_seconds():
                        raise StillThrottled(
                            f"throttled for {PATIENCE.total_seconds() / 60:.0f} minutes on end"
                        ) from error
                    pace.hold(pause)
                elif _passes(error) and left > 1:
                    left -= 1
                else:
                    raise


def _request(
    attribute: Attribute, start: datetime, end: datetime, token: str
) -> LookupEventsRequestTypeDef:
    name, value = attribute
    key = cast("LookupAttributeKeyType", name)
    request: LookupEventsRequestTypeDef = {
        "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
        "StartTime": start,
        "EndTime": end,
        "MaxResults": PAGE,
    }
    if token:
        request["NextToken"] = token
    return request


def _record(event: EventTypeDef) -> Json:
    """The record inside an event; None when it can't be read (the hunt counts those)."""
    try:
        return json.loads(event["CloudTrailEvent"])
    except (KeyError, ValueError, RecursionError):
        return None


def _passes(error: Exception) -> bool:
    """Whether the error may pass by itself: no answer, or a fault of the service."""
    from botocore.exceptions import ConnectionError as NoConnection
    from botocore.exceptions import HTTPClientError

    return isinstance(error, HTTPClientError | NoConnection) or code_of(error) in BROKEN
