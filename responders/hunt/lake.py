"""CloudTrail Lake: an event data store, asked in SQL. Reaches back years, and has data events.

A query is billed by the bytes that it scans, so leads that wait are asked for in one query.
(CloudTrail user guide, "CloudTrail Lake queries" and "Supported event schemas".)
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from responders.aws import Aws
from responders.errors import BadInput
from responders.hunt import questions
from responders.hunt.event import Attribute
from responders.hunt.lead import Lead
from responders.hunt.source import Conclusion, Page, Window
from responders.json_values import Json
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_cloudtrail import CloudTrailClient
    from types_boto3_cloudtrail.type_defs import GetQueryResultsRequestTypeDef

PERMISSIONS = (
    allow(
        "cloudtrail:StartQuery",
        "cloudtrail:DescribeQuery",
        "cloudtrail:GetQueryResults",
        on="arn:{partition}:cloudtrail:*:{account}:eventdatastore/*",
        because="hunts in CloudTrail Lake for older events, and for data events",
        risk="reads who did what in the account; queries are billed by what they scan",
    ),
)
LEADS_A_QUERY = 50
ROWS = 1000
"""Rows of one page, the most that GetQueryResults gives."""
PATIENCE = 3600.0
"""Seconds; CloudTrail ends a query after an hour by itself."""
POLL = 2.0
"""Seconds between looks at a query that runs."""
_ARN = re.compile(r"arn:[\w-]+:cloudtrail:([a-z0-9-]+):\d{12}:eventdatastore/([0-9a-f-]{36})")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class QueryFailed(Exception):
    """CloudTrail Lake did not carry out a query."""


class Lake:
    """One event data store."""

    def __init__(self, aws: Aws, store: str, region: str, stop: threading.Event) -> None:
        self.places = (f"lake {store}",)
        self._aws, self._store, self._region, self._stop = aws, store, region, stop

    @classmethod
    def of(cls, aws: Aws, text: str, stop: threading.Event) -> Lake:
        """The store of an ARN, or of an id in the home region; BadInput for anything else."""
        if found := _ARN.fullmatch(text):
            return cls(aws, found[2], found[1], stop)
        if _ID.fullmatch(text):
            return cls(aws, text, aws.home_region, stop)
        raise BadInput(
            f"{text!r} is not an event data store",
            "Give its ARN: `aws cloudtrail list-event-data-stores` shows it.",
        )

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """The rows of one query for every `LEADS_A_QUERY` leads."""
        for at in range(0, len(leads), LEADS_A_QUERY):
            some = leads[at : at + LEADS_A_QUERY]
            yield from self._rows(statement(self._store, some, window))

    def conclude(self, window: Window) -> Conclusion:
        """Nothing: what fails, fails a whole place."""
        return Conclusion()

    def _rows(self, sql: str) -> Iterator[Page]:
        client = self._aws.client("cloudtrail", self._region)
        query = client.start_query(QueryStatement=sql)["QueryId"]
        self._await(client, query)
        request: GetQueryResultsRequestTypeDef = {"QueryId": query, "MaxQueryResults": ROWS}
        while True:
            answer = client.get_query_results(**request)
            yield [_record(row) for row in answer.get("QueryResultRows", ())]
            token = answer.get("NextToken", "")
            if not token:
                return
            request["NextToken"] = token

    def _await(self, client: CloudTrailClient, query: str) -> None:
        begun = time.monotonic()
        while (answer := client.describe_query(QueryId=query))["QueryStatus"] != "FINISHED":
            status = answer["QueryStatus"]
            if status not in ("QUEUED", "RUNNING"):
                raise QueryFailed(f"query {status}: {answer.get('ErrorMessage', '')}".rstrip(": "))
            if time.monotonic() - begun > PATIENCE:
                raise QueryFailed(f"query {query} still runs after {PATIENCE / 60:.0f} minutes")
            if self._stop.wait(POLL):
                raise QueryFailed("interrupted")


def statement(store: str, leads: Sequence[Lead], window: Window) -> str:
    """The query for the events of some leads; every value is quoted."""
    return (
        f"SELECT eventJson FROM {store} WHERE eventTime >= {_time(window.since(leads))} "  # noqa: S608
        f"AND eventTime <= {_time(window.end)} AND ({questions.any_of(leads, _condition)})"
    )


def _condition(attribute: Attribute) -> str:
    """A lookup attribute as SQL: two columns of Lake have other types than a trail's table."""
    match attribute:
        case ("ResourceName", value):
            return f"element_at(requestParameters, 'roleArn') = {questions.quoted(value)}"
        case ("ReadOnly", value):
            return f"readOnly = {'true' if value == 'true' else 'false'}"
    return questions.condition(attribute)


def _time(moment: datetime) -> str:
    return f"'{moment:%Y-%m-%d %H:%M:%S}'"


def _record(row: Sequence[Mapping[str, str]]) -> Json:
    """The record of a row; None when it can't be read (the hunt counts those)."""
    for column in row:
        for name, value in column.items():
            if name.lower() == "eventjson":
                try:
                    return json.loads(value)
                except (ValueError, RecursionError):
                    return None
    return None
