"""The trail: records every call behind the door and answers `LookupEvents`.

CloudTrail API, LookupEvents: management events of 90 days, one attribute a call, at most 50 events
a page, newest first, two requests a second per account and region. The limit is off unless asked
for with `limit`, so that tests are quick.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from moto.cloudtrail.models import cloudtrail_backends
from moto.core.models import DEFAULT_ACCOUNT_ID

from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.door import ConnectionLost, Proceed
from lab.gate.wire import AwsError, Response
from lab.identity import Identity, identity_of, now
from lab.trail.history import EVERY, History, Position
from lab.trail.record import Record, is_management_event, record_call, stamp

PAGE = 50
HISTORY = timedelta(days=90)
ATTRIBUTES = {
    "AccessKeyId",
    "EventId",
    "EventName",
    "EventSource",
    "ReadOnly",
    "ResourceName",
    "ResourceType",
    "Username",
}


class Trail:
    """The event histories of all accounts; they end when moto is reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._per_second: float | None = None
        self._allowance: dict[tuple[str, str], tuple[float, float]] = {}

    def mend(self) -> None:
        """Lets the trail answer CloudTrail's LookupEvents."""
        answer("cloudtrail", "LookupEvents")(self._lookup)

    def limit(self, per_second: float | None) -> None:
        """So many lookups a second per account and region from now on; None: no limit."""
        self._per_second = per_second
        self._allowance.clear()

    def plant(self, *records: Mapping[str, Any], account: str = DEFAULT_ACCOUNT_ID) -> None:
        """Adds records that no call made. `awsRegion` says where; what is left out is filled in."""
        for record in records:
            whole = {
                "eventVersion": "1.11",
                "eventTime": stamp(now()),
                "eventID": str(uuid4()),
                "requestID": str(uuid4()),
                "eventType": "AwsApiCall",
                "managementEvent": True,
                "eventCategory": "Management",
                "recipientAccountId": account,
                "readOnly": False,
                **record,
            }
            self._add(account, whole)

    def records(self, region: str, account: str = DEFAULT_ACCOUNT_ID) -> list[Record]:
        """All records of a region, the oldest first."""
        return [json.loads(e["CloudTrailEvent"]) for e in self._history(account, region).events()]

    def layer(self, call: Call, proceed: Proceed) -> Response:
        """The layer for the door; it must see a call before any that may refuse it."""
        if not is_management_event(call):
            return proceed()
        identity = identity_of(call)
        try:
            response = proceed()
        except ConnectionLost as lost:
            if lost.carried_out:
                self._add(call.account, record_call(call, identity, None))
            raise
        record = record_call(call, identity, response)
        self._add(call.account, record)
        self._tell_other_account(call, identity, record)
        return response

    def _tell_other_account(self, call: Call, identity: Identity, record: Record) -> None:
        """A role assumed from elsewhere is recorded in the role's account as well."""
        account = str(call.params.get("RoleArn", "")).split(":")[4:5]
        if call.service != "sts" or account in ([], [call.account]) or record.get("errorCode"):
            return
        caller = {
            "type": "AWSAccount",
            "principalId": identity.principal_id,
            "accountId": identity.account,
        }
        shared = {"sharedEventID": str(uuid4()), "recipientAccountId": account[0]}
        self._add(account[0], {**record, "userIdentity": caller, **shared})

    def _add(self, account: str, record: Record) -> None:
        with self._lock:
            self._history(account, record["awsRegion"]).add(record)

    def _history(self, account: str, region: str) -> History:
        backend: Any = cloudtrail_backends[account][region]
        history: History = backend.__dict__.setdefault("lab_history", History())
        return history

    # -- LookupEvents --

    def _lookup(self, call: Call) -> dict[str, Any]:
        self._allow(call)
        question = _Question(call)
        with self._lock:
            events, next_position = self._history(call.account, call.region).page(
                question.attribute, question.window, question.before, question.size
            )
        token = {} if next_position is None else {"NextToken": question.token(next_position)}
        return {"Events": events, **token}

    def _allow(self, call: Call) -> None:
        """A bucket of one second's worth, per account and region."""
        if self._per_second is None:
            return
        where, at = (call.account, call.region), time.monotonic()
        with self._lock:
            left, since = self._allowance.get(where, (self._per_second, at))
            left = min(self._per_second, left + (at - since) * self._per_second)
            self._allowance[where] = (left - 1 if left >= 1 else left, at)
        if left < 1:
            raise AwsError("ThrottlingException", "Rate exceeded")


class _Question:
    """One request to LookupEvents, read; AwsError for what CloudTrail refuses."""

    def __init__(self, call: Call) -> None:
        params = call.params
        self.attribute = _attribute(params.get("LookupAttributes", []))
        start, end = (_seconds(params.get(name)) for name in ("StartTime", "EndTime"))
        if start is not None and end is not None and start > end:
            raise AwsError("InvalidTimeRangeException", "StartTime is after EndTime.")
        self.size = params.get("MaxResults", PAGE)
        if not 1 <= self.size <= PAGE:
            raise AwsError("InvalidMaxResultsException", f"MaxResults is 1 to {PAGE}.")
        oldest = (now() - HISTORY).timestamp()
        # Without an end: the year 2096, later than any event.
        self.window = max(start or 0.0, oldest), (4e9 if end is None else end)
        self._question = json.dumps([self.attribute, start, end])
        self.before = self._position(params["NextToken"]) if "NextToken" in params else None

    def token(self, position: Position) -> str:
        """Goes on from a position; it is good for the same question only."""
        return base64.b64encode(json.dumps([self._question, *position]).encode()).decode()

    def _position(self, token: str) -> Position:
        try:
            question, at, order = json.loads(base64.b64decode(token))
        except ValueError as error:
            raise AwsError("InvalidNextTokenException", "The token is not valid.") from error
        if question != self._question:
            raise AwsError("InvalidNextTokenException", "The token is of another question.")
        return at, order


def _attribute(attributes: list[dict[str, str]]) -> tuple[str, str]:
    if not attributes:
        return EVERY
    if len(attributes) > 1 or attributes[0]["AttributeKey"] not in ATTRIBUTES:
        raise AwsError(
            "InvalidLookupAttributesException", "Give one attribute, and one that exists."
        )
    return attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]


def _seconds(value: datetime | None) -> float | None:
    if value is None:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
