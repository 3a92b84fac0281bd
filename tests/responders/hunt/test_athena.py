"""Athena as a source: its SQL is run by DuckDB over a table of the same columns."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import duckdb
import pytest

from lab.calls import Calls
from lab.mends.athena_queries import Table, publish
from responders.aws import Access, Aws
from responders.hunt import athena
from responders.hunt.athena import Athena, QueryFailed
from responders.hunt.lead import Lead
from responders.hunt.rebuilt import COLUMNS, record_of
from responders.hunt.source import Window
from responders.hunt.subjects import Address, Agent, Everything, Key, Role, Root, User
from tests.conftest import AwsLab
from tests.responders.conftest import Cordon
from tests.responders.hunt.records import LEAKED, by_session, by_user, record
from tests.responders.hunt.thief import ACCOUNT, FAR, Thief

REGION = "us-east-1"
NOW = datetime.now(UTC).replace(microsecond=0)
WINDOW = Window(NOW - timedelta(days=2), NOW)
SIZE = 5_000
"""Bytes of the one object of a day."""


def _type(columns: Sequence[str]) -> str:
    """The type of a column of which these members are selected; empty: it is a text."""
    if columns == [""]:
        return "VARCHAR"
    heads = list(dict.fromkeys(c.partition(".")[0] for c in columns))
    members = {h: [c.partition(".")[2] for c in columns if c.partition(".")[0] == h] for h in heads}
    return "STRUCT(" + ", ".join(f"{h} {_type(rest)}" for h, rest in members.items()) + ")"


def columns() -> dict[str, str]:
    heads = dict.fromkeys(column.partition(".")[0] for column in COLUMNS)
    return {
        h: _type([c.partition(".")[2] for c in COLUMNS if c.partition(".")[0] == h]) for h in heads
    }


def table_of(records: Sequence[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    """`cordon.trail` with these records: lower-case members, and requests as the text of JSON."""
    types = {**columns(), "account": "VARCHAR", "day": "VARCHAR"}
    lines = [json.dumps(_row(one)) for one in records]
    db = duckdb.connect()
    db.execute("CREATE SCHEMA cordon")
    with NamedTemporaryFile("w", suffix=".json") as file:
        file.write("\n".join(lines))
        file.flush()
        db.execute(
            f"CREATE TABLE cordon.trail AS SELECT * FROM read_json('{file.name}', "  # noqa: S608
            f"columns={types!r}, format='newline_delimited')"
        )
    return db


def _row(one: dict[str, Any]) -> dict[str, Any]:
    texts = {
        name: json.dumps(one[name])
        for name in ("requestParameters", "responseElements", "additionalEventData")
        if one.get(name) is not None
    }
    day = one["eventTime"][:10].replace("-", "/")
    return {**_lower({**one, **texts}), "account": ACCOUNT, "day": day}


def _lower(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.lower(): _lower(inner) for name, inner in value.items()}
    return str(value).lower() if isinstance(value, bool) else value


def published(records: Sequence[dict[str, Any]], **more: Any) -> list[str]:
    """Publishes the table; the queries that it was asked are in the answer."""
    db, asked_for = table_of(records), []

    def run(sql: str) -> list[tuple[Any, ...]]:
        asked_for.append(sql)
        return db.execute(sql).fetchall()

    metadata = {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns().items()],
        "PartitionKeys": [
            {"Name": name, "Type": "string"} for name in ("account", "region", "day")
        ],
        "Parameters": {"location": "s3://trail-bucket/AWSLogs/"},
    } | more.pop("metadata", {})
    publish(ACCOUNT, REGION, "cordon.trail", Table(metadata, run, **more))
    return asked_for


@pytest.fixture
def aws(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setattr(athena, "POLL", 0.0)
    s3 = aws_lab.client("s3")
    s3.create_bucket(Bucket="trail-bucket")
    for ago in range(4):
        day = NOW - timedelta(days=ago)
        folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{FAR}/{day:%Y/%m/%d}"
        s3.put_object(Bucket="trail-bucket", Key=f"{folder}/x.json.gz", Body=b"x" * SIZE)
    return Aws(Access(region=REGION))


def at(minutes_ago: int) -> dict[str, str]:
    return {"eventTime": f"{NOW - timedelta(minutes=minutes_ago):%Y-%m-%dT%H:%M:%SZ}"}


def source(aws: Aws, **more: Any) -> Athena:
    return Athena(aws, "primary", threading.Event(), **more)


def search(asked: Athena, *leads: Lead) -> list[Any]:
    (place,) = asked.places
    return [one for page in asked.search(place, leads, WINDOW) for one in page]


ARN = f"arn:aws:iam::{ACCOUNT}"
RECORDS = [
    record("ec2:RunInstances", by_user(key=LEAKED), request={"x": "ü'; --"}, read=False, **at(9)),
    record(
        "sts:AssumeRole", by_user(key="AKIAOTHER"), request={"roleArn": f"{ARN}:role/app"}, **at(8)
    ),
    record(
        "s3:GetObject",
        by_session("app", "session", "ASIASESSION"),
        sourceIPAddress="192.0.2.9",
        **at(7),
    ),
    record("iam:ListUsers", {"type": "Root", "arn": f"{ARN}:root", "accountId": ACCOUNT}, **at(6)),
    record("iam:DeleteUser", by_user(key=LEAKED), error="AccessDenied", **at(60 * 24 * 4)),
]


@pytest.mark.parametrize(
    ("subject", "events"),
    [
        (Key(LEAKED), {0}),
        (User(f"{ARN}:user/alice"), {0, 1}),
        (Role(f"{ARN}:role/app"), {1}),
        (Root(f"{ARN}:root"), {3}),
        (Everything(ACCOUNT), {0}),
        (Address("192.0.2.9/32"), {2}),
        (Address("192.0.0.0/22"), {2}),
        (Address("0.0.0.0/0"), {0, 1, 2, 3}),
        (Address("2001:db8::/32"), set()),
        (Agent("AWS-CLI"), {0, 1, 2, 3}),
        (Agent("aws'sdk"), set()),
        (User(f"{ARN}:user/o'hara' OR 1=1 --"), set()),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_the_sql_finds_the_events_of_a_lead_and_they_are_rebuilt(
    aws: Aws, subject: Any, events: set[int]
) -> None:
    published(RECORDS)
    rebuilt = search(source(aws), Lead(0, subject))
    by_id = {one["eventID"]: one for one in RECORDS}
    assert {one["eventID"] for one in rebuilt} == {RECORDS[n]["eventID"] for n in events}
    for one in rebuilt:
        original = by_id[one["eventID"]]
        for name in (
            "eventName",
            "sourceIPAddress",
            "requestParameters",
            "userIdentity",
            "errorCode",
        ):
            assert one.get(name) == original.get(name), name


def test_pages_and_queries(aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(athena, "ROWS", 2)
    monkeypatch.setattr(athena, "LEADS_A_QUERY", 1)
    asked_for = published(RECORDS, scanned=2_000_000)
    asked = source(aws)
    assert len(search(asked, Lead(0, Address("0.0.0.0/0")), Lead(1, Key(LEAKED)))) == 5
    assert len(calls.of("athena", "GetQueryResults")) == 3 + 1
    assert len(asked_for) == 2
    assert "2 queries read 0.00 GB" in asked.conclude(WINDOW).notes[0]


def test_the_documented_table_has_every_column_that_is_asked_for() -> None:
    text = (Path(__file__).parents[3] / "docs/hunt.md").read_text()
    statement = text.partition("CREATE EXTERNAL TABLE cordon.trail")[2].partition("```")[0]
    for column in COLUMNS:
        for member in column.split("."):
            assert re.search(rf"\b{member}:? (STRING|STRUCT)", statement), column
    for partition in ("account", "region", "day"):
        assert f"${{{partition}}}" in statement
        assert f"'projection.{partition}.type'" in statement


def test_what_is_no_record_is_counted_and_ends_nothing() -> None:
    row: list[str | None] = [None] * len(COLUMNS)
    assert record_of(row) == {}
    row[-1] = "{"
    assert record_of(row) is None
    assert record_of(["x"]) is None


def test_a_hunt_never_reads_more_than_it_may(aws: Aws, calls: Calls) -> None:
    """Three days are read: those of the window, and none of the fourth day."""
    published(RECORDS, scanned=3 * SIZE)
    asked = source(aws, max_gb=3.5 * SIZE / 1e9)
    asked.check(WINDOW)
    assert search(asked, Lead(0, Key(LEAKED)))
    with pytest.raises(QueryFailed, match="1 leads were not asked for"):
        search(asked, Lead(1, Key("ASIAOTHER")))
    assert len(calls.of("athena", "StartQueryExecution")) == 1


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_query_that_fails_is_an_error(aws: Aws, state: str) -> None:
    published(RECORDS, state=state)
    with pytest.raises(QueryFailed, match=state):
        search(source(aws), Lead(0, Key(LEAKED)))


def test_a_query_is_stopped_with_the_hunt(aws: Aws, calls: Calls) -> None:
    published(RECORDS, state="RUNNING")
    asked = source(aws)
    asked._stop.set()
    with pytest.raises(QueryFailed, match="interrupted"):
        search(asked, Lead(0, Key(LEAKED)))
    assert len(calls.of("athena", "StopQueryExecution")) == 1


@pytest.mark.parametrize(
    ("words", "more", "told"),
    [
        (("--athena", "no workgroup!"), {}, "is not a workgroup of Athena"),
        (("--athena", "primary:other.table"), {}, "There is no table other.table"),
        (
            ("--athena", "primary", "--max-gb", "0.00001"),
            {},
            "at 5 USD per TB), and --max-gb is 1e-05",
        ),
        (("--athena", "primary"), {"PartitionKeys": []}, "not partitioned by account"),
        (("--athena", "primary"), {"Columns": [{"Name": "x"}]}, "it has no column eventid"),
        (("--athena", "primary"), {"Parameters": {}}, "is not the address of a trail"),
    ],
)
def test_what_can_t_be_asked_is_refused_before_it_costs(
    aws: Aws, cordon: Cordon, thief: Thief, calls: Calls, words: Any, more: Any, told: str
) -> None:
    published(RECORDS, metadata=more)
    answer = cordon("hunt", "--key", thief.key, "--regions", REGION, *words)
    assert answer.code == 2
    assert told in answer.err.replace("\n", " ")
    assert calls.of("athena", "StartQueryExecution") == []


def test_a_hunt_asks_athena(aws: Aws, cordon: Cordon, thief: Thief) -> None:
    made = record("s3:DeleteObject", by_user(key=thief.key), read=False, **at(60 * 24))
    published([made], scanned=2_000_000_000)
    hunt = ("hunt", "--key", thief.key, "--regions", REGION, "--athena", "primary", "--json")
    answer = cordon(*hunt, "--case", "IR-7")
    document = answer.document
    assert document["gaps"] == []
    assert document["sources"] == {"athena cordon.trail": "ok"}
    assert [one["id"] for one in document["events"]] == [made["eventID"]]
    assert any("2.00 GB (some 0.01 USD" in note for note in document["notes"])
    assert document["raw_event_files"] == 1
