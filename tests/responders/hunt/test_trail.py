"""A trail's objects and CloudTrail Lake, as sources."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lab.calls import Calls
from lab.mended import TRAIL
from responders.aws import Access, Aws, explain
from responders.errors import BadInput
from responders.hunt import lake, object_text, trail, unread
from responders.hunt.lake import Lake, QueryFailed, statement
from responders.hunt.lead import Lead
from responders.hunt.plain_trail import PlainTrail
from responders.hunt.scan.parts import TemporaryParts
from responders.hunt.scan.source import TrailScan
from responders.hunt.source import EventSource, NoSuchTrail, Window
from responders.hunt.subjects import Everything, Key, Role, Root, User
from responders.hunt.trail import Trail
from responders.hunt.trail_source import objects_at
from tests.conftest import AwsLab
from tests.responders.hunt.records import LEAKED, START, arn, record

ACCOUNT = "123456789012"
WINDOW = Window(START, START + timedelta(days=2))
STORE = "11111111-2222-3333-4444-555555555555"
LEADS = [Lead(0, Key(LEAKED))]


Read = Callable[[Aws, str], PlainTrail | TrailScan]


@pytest.fixture(params=["plain", "scan"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    """Both ways to read a trail: they must find and report alike."""
    numbers = count()

    def source(aws: Aws, address: str) -> PlainTrail | TrailScan:
        objects = objects_at(aws, address)
        if request.param == "plain":
            return PlainTrail(aws, objects)
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        parts = TemporaryParts(folder / "kept")
        return TrailScan(objects, parts, folder, threading.Event(), explain)

    return source


@pytest.fixture
def aws(aws_lab: AwsLab) -> Aws:
    aws_lab.client("s3").create_bucket(Bucket="trail-bucket")
    return Aws(Access(region="us-east-1"))


def put(
    aws_lab: AwsLab, day: date, *records: Any, head: str = "", region: str = "eu-west-1"
) -> str:
    """One object of a trail."""
    folder = f"{head}AWSLogs/{ACCOUNT}/CloudTrail/{region}/{day:%Y/%m/%d}"
    key = f"{folder}/{ACCOUNT}_CloudTrail_{region}_{records[0]['eventID']}.json.gz"
    body = gzip.compress(json.dumps({"Records": list(records)}).encode())
    aws_lab.client("s3").put_object(Bucket="trail-bucket", Key=key, Body=body)
    return key


def ids(source: EventSource, leads: list[Lead] = LEADS, window: Window = WINDOW) -> list[str]:
    (place,) = source.places
    return [
        one["eventID"] if one else "unreadable"
        for page in source.search(place, leads, window)
        for one in page
    ]


def test_the_objects_of_the_days_in_question_are_read(
    aws: Aws, read: Read, aws_lab: AwsLab, calls: Calls
) -> None:
    day = START.date()
    made = [record("s3:GetObject", at=60 * 24 * n) for n in range(-2, 6)]
    for number, one in enumerate(made):
        put(
            aws_lab,
            day + timedelta(days=number - 2),
            one,
            region=("eu-west-1", "us-east-1")[number % 2],
        )
    calls.clear()
    found = ids(read(aws, "s3://trail-bucket"))
    assert set(made_ids(made[2:5])) <= set(found) <= set(made_ids(made[2:6]))
    assert len(calls.of("s3", "GetObject")) == 4


def test_a_lead_is_looked_for_from_its_time_on(aws: Aws, read: Read, aws_lab: AwsLab) -> None:
    early, late = record("s3:GetObject"), record("s3:GetObject", at=60 * 24)
    put(aws_lab, START.date(), early)
    put(aws_lab, START.date() + timedelta(days=1), late)
    lead = Lead(1, Key(LEAKED), since=START + timedelta(days=1))
    assert ids(read(aws, "s3://trail-bucket/"), [lead]) == [late["eventID"]]


@pytest.mark.parametrize("address", ["s3://trail-bucket/logs", "s3://trail-bucket/logs/AWSLogs/x/"])
def test_prefixes_and_organizations(aws: Aws, read: Read, aws_lab: AwsLab, address: str) -> None:
    own, organization = record("s3:GetObject"), record("s3:GetObject")
    put(aws_lab, START.date(), own, head="logs/")
    key = put(aws_lab, START.date(), organization, head="other/")
    s3 = aws_lab.client("s3")
    s3.copy_object(
        Bucket="trail-bucket",
        Key=key.replace("other/AWSLogs/", "logs/AWSLogs/o-example/"),
        CopySource={"Bucket": "trail-bucket", "Key": key},
    )
    found = ids(read(aws, address))
    assert sorted(found) == sorted([own["eventID"], organization["eventID"]])


def made_ids(records: list[dict[str, Any]]) -> list[str]:
    return [one["eventID"] for one in records]


BAD = (b"no gzip", gzip.compress(b"{"), gzip.compress(b'{"Records": 3}'), b"", b"[]")


def test_an_object_that_is_none_is_named_and_the_others_are_read(
    aws: Aws, aws_lab: AwsLab, read: Read
) -> None:
    good = record("s3:GetObject")
    key = put(aws_lab, START.date(), record("s3:GetObject"), region="ap-south-1")
    put(aws_lab, START.date(), good)
    for body in BAD:
        aws_lab.client("s3").put_object(Bucket="trail-bucket", Key=key, Body=body)
        source = read(aws, "s3://trail-bucket")
        assert ids(source) == [good["eventID"]]
        (line,) = source.trouble
        assert line.startswith(f"{key}: not readable")


def test_an_object_is_read_up_to_its_bound_and_all_members_of_it() -> None:
    bomb = gzip.compress(json.dumps({"Records": [], "x": "0" * 100_000}).encode())
    with pytest.raises(ValueError, match="too large"):
        object_text.content(bomb, 5000)
    with pytest.raises(ValueError, match="too large"):
        object_text.content(b"x" * 5001, 5000)
    joined = gzip.compress(b"a" * 3000) + gzip.compress(b"b" * 2000)
    assert object_text.content(joined, 5000) == b"a" * 3000 + b"b" * 2000
    with pytest.raises(ValueError, match="too large"):
        object_text.content(joined, 4999)


@pytest.mark.parametrize("listed_as_archived", [True, False])
def test_archived_objects_are_named_with_their_hours_and_the_others_are_read(
    aws: Aws, read: Read, aws_lab: AwsLab, listed_as_archived: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 may also archive an object by intelligent tiering, which no list tells."""
    s3, good = aws_lab.client("s3"), record("s3:GetObject")
    put(aws_lab, START.date(), good)
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/{START:%Y/%m/%d}"
    for hour in (10, 11):
        name = f"{ACCOUNT}_CloudTrail_eu-west-1_20260301T{hour}05Z_x.json.gz"
        s3.put_object(
            Bucket="trail-bucket", Key=f"{folder}/{name}", Body=b"", StorageClass="GLACIER"
        )
    if not listed_as_archived:
        monkeypatch.setattr(trail, "COLD", ())
    source = read(aws, "s3://trail-bucket")
    assert ids(source) == [good["eventID"]]
    (gap,) = unread.gaps(source.places[0], source.trouble)
    assert "2 objects of 2026-03-01 10 h UTC eu-west-1 to 2026-03-01 11 h UTC eu-west-1" in gap
    assert f"restore-object --bucket trail-bucket --key {folder}/" in gap


def test_plain_objects_and_other_kinds_of_events_are_read_and_digests_are_not(
    aws: Aws, read: Read, aws_lab: AwsLab
) -> None:
    s3, made = aws_lab.client("s3"), [record("s3:GetObject") for _ in range(3)]
    day = f"eu-west-1/{START:%Y/%m/%d}"
    plain = json.dumps({"Records": made[:1]}).encode()
    for key, body in {
        f"CloudTrail/{day}/restored.json": plain,
        f"CloudTrail-Insight/{day}/x.json.gz": _zipped(made[1]),
        f"CloudTrail-NetworkActivity/{day}/x.json.gz": _zipped(made[2]),
        f"CloudTrail-Digest/{day}/x.json.gz": _zipped(record("s3:PutObject")),
        f"CloudTrail/{day}/{ACCOUNT}_CloudTrail-Digest_eu-west-1_x.json.gz": b"signed",
        f"CloudTrail/{day}/notes.txt": b"x",
        f"CloudTrail/{day}/": b"",
    }.items():
        s3.put_object(Bucket="trail-bucket", Key=f"AWSLogs/{ACCOUNT}/{key}", Body=body)
    source = read(aws, "s3://trail-bucket")
    assert sorted(ids(source)) == sorted(one["eventID"] for one in made)
    (line,) = source.trouble
    assert "notes.txt: its name is none of a log file's" in line


def _zipped(*records: Any) -> bytes:
    return gzip.compress(json.dumps({"Records": list(records)}).encode())


@pytest.mark.parametrize("content", ["", "notes", "another account", "older"])
def test_a_folder_without_objects_in_question_is_an_error(
    aws: Aws, read: Read, tmp_path: Path, content: str
) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    days = {"another account": "AWSLogs/444455556666/CloudTrail/eu-west-1/2026/03/01"}
    if content in ("another account", "older"):
        day = folder / days.get(content, f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2025/03/01")
        day.mkdir(parents=True)
        (day / "x.json.gz").write_bytes(_zipped(record("s3:GetObject")))
    if content == "notes":
        (folder / ".hidden").write_text("x")
    with pytest.raises(NoSuchTrail):
        ids(read(aws, str(folder)))


def test_a_bucket_without_a_trail_is_an_error(aws: Aws, read: Read) -> None:
    with pytest.raises(NoSuchTrail, match=ACCOUNT):
        ids(read(aws, "s3://trail-bucket/elsewhere"))


@pytest.mark.parametrize("address", ["trail-bucket", "https://trail-bucket", "s3://", "s3://A_B"])
def test_an_address_that_is_none(aws: Aws, address: str) -> None:
    with pytest.raises(BadInput, match="not the address of a trail"):
        Trail.at(aws, address)


def test_lake_gives_what_the_query_asks_for(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, calls: Calls
) -> None:
    monkeypatch.setattr(lake, "ROWS", 2)
    made = [record("s3:GetObject", region="eu-west-1", at=n) for n in range(5)]
    TRAIL.plant(*made)
    found = ids(Lake.of(aws, STORE, threading.Event()))
    assert sorted(found) == sorted(one["eventID"] for one in made)
    assert len(calls.of("cloudtrail", "GetQueryResults")) == 3


def test_a_query_that_fails_is_an_error(aws: Aws, aws_lab: AwsLab) -> None:
    class Client:
        def start_query(self, **_: Any) -> dict[str, str]:
            return {"QueryId": "q"}

        def describe_query(self, **_: Any) -> dict[str, str]:
            return {"QueryStatus": "TIMED_OUT", "ErrorMessage": "too much"}

    class Failing(Aws):
        def client(self, *_: Any, **__: Any) -> Any:
            return Client()

    with pytest.raises(QueryFailed, match="TIMED_OUT: too much"):
        ids(Lake.of(Failing(Access(region="us-east-1")), STORE, threading.Event()))


def test_the_statement() -> None:
    leads = [
        Lead(0, Key(LEAKED)),
        Lead(1, User(arn("user/o'brien"))),
        Lead(2, Root(arn("root"))),
        Lead(3, Role(arn("role/app"))),
        Lead(4, Everything(ACCOUNT)),
    ]
    assert statement(STORE, leads, WINDOW) == (
        f"SELECT eventJson FROM {STORE} "  # noqa: S608, nothing runs it
        "WHERE eventTime >= '2026-03-01 12:00:00' "
        "AND eventTime <= '2026-03-03 12:00:00' AND ("
        f"useridentity.accesskeyid = '{LEAKED}'"
        " OR useridentity.username = 'o''brien' OR useridentity.arn LIKE '%/o''brien'"
        " OR useridentity.type = 'Root'"
        f" OR element_at(requestParameters, 'roleArn') = '{arn('role/app')}'"
        " OR readOnly = false)"
    )


def test_stores(aws: Aws) -> None:
    full = f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:eventdatastore/{STORE}"
    assert Lake.of(aws, full, threading.Event()).places == (f"lake {STORE}",)
    for text in ("store", f"{STORE}; DROP", "arn:aws:cloudtrail:eu-west-1:1:trail/x"):
        with pytest.raises(BadInput, match="not an event data store"):
            Lake.of(aws, text, threading.Event())
