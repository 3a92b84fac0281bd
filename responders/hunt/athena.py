"""Amazon Athena: a table over a trail's objects, asked in SQL by as many machines as it takes.

A query is billed by the compressed bytes of the objects that it reads, so it is told beforehand
what it may read at most: the objects of the account and of the days in question (Athena pricing;
the table's partitions leave out all others). A query reads them whole, whatever it asks, so leads
that wait are asked for in one.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from responders.aws import Aws, explain
from responders.errors import BadInput
from responders.hunt import questions
from responders.hunt.lead import Lead
from responders.hunt.rebuilt import COLUMNS, record_of, table_faults
from responders.hunt.source import LATE, Conclusion, Page, Window
from responders.hunt.trail import Trail
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_athena import AthenaClient
    from types_boto3_athena.type_defs import GetQueryResultsInputTypeDef, RowTypeDef

PERMISSIONS = (
    allow(
        "athena:StartQueryExecution",
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:StopQueryExecution",
        on="arn:{partition}:athena:*:{account}:workgroup/*",
        because="hunts in a table over a trail's objects (hunt --athena)",
        risk="queries are billed by what they read, up to the workgroup's own limit",
    ),
    allow(
        "athena:GetTableMetadata",
        on="arn:{partition}:athena:*:{account}:datacatalog/*",
        because="finds the objects under a table, to tell what a query will cost",
    ),
    allow(
        "glue:GetDatabase",
        "glue:GetTable",
        on=(
            "arn:{partition}:glue:*:{account}:catalog",
            "arn:{partition}:glue:*:{account}:database/*",
            "arn:{partition}:glue:*:{account}:table/*",
        ),
        because="lets Athena read the table's definition (called by Athena, not directly)",
    ),
)
TABLE = "cordon.trail"
"""Database and table when the address names none."""
USD_PER_TB = 5.0
"""List price in most regions (Athena pricing); a terabyte is 10^12 bytes here."""
DEFAULT_MAX_GB = 100.0
LEADS_A_QUERY = 50
ROWS = 1000
"""Rows of one page, the most that GetQueryResults gives."""
PATIENCE = 1800.0
"""Seconds; Athena ends a query after half an hour by itself (Athena user guide, "Quotas")."""
POLL = 1.0
"""Seconds between looks at a query that runs."""
_ADDRESS = re.compile(r"([\w.-]{1,128})(?::(\w{1,255})\.(\w{1,255}))?")


class QueryFailed(Exception):
    """Athena did not carry out a query, or was not asked to."""


class Athena:
    """One table, asked through one workgroup. `max_gb`: what one hunt may read, in 10^9 bytes."""

    def __init__(
        self, aws: Aws, address: str, stop: threading.Event, max_gb: float = DEFAULT_MAX_GB
    ) -> None:
        named = _ADDRESS.fullmatch(address)
        if named is None:
            raise BadInput(
                f"{address!r} is not a workgroup of Athena",
                f"Give WORKGROUP, or WORKGROUP:DATABASE.TABLE (default: {TABLE}).",
            )
        self._workgroup = named[1]
        self._database, self._table = named[2] or "cordon", named[3] or "trail"
        self.places = (f"athena {self._database}.{self._table}",)
        self._aws, self._stop, self._max_bytes = aws, stop, max_gb * 1e9
        self._sizes: dict[date, int] = {}
        self._scanned = self._queries = 0

    def check(self, window: Window) -> None:
        """Estimates what the first query reads; BadInput when that is too much, or not known."""
        try:
            estimate = self._estimate(window.start.date(), window)
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(
                f"what a query would cost is not known: {explain(error)}",
                "docs/hunt.md shows the table and the rights that a hunt in Athena needs.",
            ) from error
        if estimate > self._max_bytes:
            raise BadInput(
                f"a query would read {_cost(estimate)}, and --max-gb is {self._max_bytes / 1e9:g}",
                "Give a later --since, or a higher --max-gb.",
            )

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """The rows of one query for every `LEADS_A_QUERY` leads."""
        for begin in range(0, len(leads), LEADS_A_QUERY):
            some = leads[begin : begin + LEADS_A_QUERY]
            first = window.since(some).date()
            estimate = self._estimate(first, window)
            if self._scanned + estimate > self._max_bytes:
                raise QueryFailed(
                    f"{len(leads) - begin} leads were not asked for: {_cost(self._scanned)} were "
                    f"read, the next query reads {estimate / 1e9:.2f} GB, and --max-gb is "
                    f"{self._max_bytes / 1e9:g}"
                )
            yield from self._rows(self.statement(some, window))

    def conclude(self, window: Window) -> Conclusion:
        """What was read, and that the records are rebuilt."""
        return Conclusion(
            notes=[
                f"{self.places[0]}: {self._queries} queries read {_cost(self._scanned)}",
                f"{self.places[0]}: records are rebuilt from the table's columns; the original has "
                "more members",
            ]
        )

    def statement(self, leads: Sequence[Lead], window: Window) -> str:
        """The query for the events of some leads; every value is quoted.

        The folders' days are those of delivery, so one more is read than the window has.
        """
        first, last = window.since(leads).date(), (window.end + LATE).date()
        return (
            f'SELECT {", ".join(COLUMNS)} FROM "{self._database}"."{self._table}" '  # noqa: S608
            f"WHERE account = {questions.quoted(self._aws.identity.account)} "
            f"AND day >= '{first:%Y/%m/%d}' AND day <= '{last:%Y/%m/%d}' "
            f"AND {questions.where(leads, window)}"
        )

    # -- cost --

    def _estimate(self, first: date, window: Window) -> int:
        """Bytes of the account's objects from a day on, as they are stored."""
        if not self._sizes:
            self._sizes = self._sizes_by_day(window)
        return sum(size for day, size in self._sizes.items() if day >= first)

    def _sizes_by_day(self, window: Window) -> dict[date, int]:
        sizes: dict[date, int] = {}
        objects = self._objects()
        for stored in objects.listed(window.start.date(), (window.end + LATE).date()):
            if day := _day(stored.key):
                sizes[day] = sizes.get(day, 0) + stored.size
        return sizes

    def _objects(self) -> Trail:
        """The trail under the table; BadInput when the table is none that a hunt can ask."""
        table = self._client.get_table_metadata(
            CatalogName="AwsDataCatalog", DatabaseName=self._database, TableName=self._table
        )["TableMetadata"]
        columns = {str(c["Name"]): str(c.get("Type", "")) for c in table.get("Columns", ())}
        partitions = [str(c["Name"]).lower() for c in table.get("PartitionKeys", ())]
        if faults := table_faults(columns, partitions):
            raise BadInput(
                f"the table {self._database}.{self._table} can't be asked: {'; '.join(faults)}",
                "docs/hunt.md shows the table that a hunt needs.",
            )
        return Trail.at(self._aws, str(table.get("Parameters", {}).get("location", "")))

    # -- a query --

    @property
    def _client(self) -> AthenaClient:
        return self._aws.client("athena", self._aws.home_region)

    def _rows(self, sql: str) -> Iterator[Page]:
        client = self._client
        query = client.start_query_execution(QueryString=sql, WorkGroup=self._workgroup)[
            "QueryExecutionId"
        ]
        self._await(client, query)
        request: GetQueryResultsInputTypeDef = {"QueryExecutionId": query, "MaxResults": ROWS}
        skip = 1  # the first row of the first page has the columns' names
        while True:
            answer = client.get_query_results(**request)
            yield [record_of(_texts(row)) for row in answer["ResultSet"]["Rows"][skip:]]
            token = answer.get("NextToken", "")
            if not token:
                return
            request["NextToken"], skip = token, 0

    def _await(self, client: AthenaClient, query: str) -> None:
        """Returns when the query succeeded; one that is given up is stopped, for it costs."""
        deadline = time.monotonic() + PATIENCE
        self._queries += 1
        while True:
            execution = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            status = execution["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                self._scanned += execution.get("Statistics", {}).get("DataScannedInBytes", 0)
                break
            if self._stop.wait(POLL) or time.monotonic() > deadline:
                client.stop_query_execution(QueryExecutionId=query)
                why = "interrupted" if self._stop.is_set() else f"no end after {PATIENCE:.0f} s"
                raise QueryFailed(f"query {query} was stopped: {why}")
        if status["State"] != "SUCCEEDED":
            reason = status.get("StateChangeReason", "")
            raise QueryFailed(f"query {status['State']}: {reason}".rstrip(": "))


def _texts(row: RowTypeDef) -> list[str | None]:
    return [value.get("VarCharValue") for value in row.get("Data", ())]


def _day(key: str) -> date | None:
    match = re.search(r"/(\d{4})/(\d\d)/(\d\d)/[^/]*$", key)
    return date(*map(int, match.groups())) if match else None


def _cost(size: float) -> str:
    dollars = size / 1e12 * USD_PER_TB
    return f"{size / 1e9:.2f} GB (some {dollars:.2f} USD at {USD_PER_TB:g} USD per TB)"
