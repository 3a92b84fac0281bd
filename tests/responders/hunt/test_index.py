"""The index on disk: what is counted, sorted and told apart; and the raw events beside it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from responders.hunt import evidence
from responders.hunt.classify import classify
from responders.hunt.event import read_event
from responders.hunt.evidence import Chunks
from responders.hunt.index import Index
from responders.hunt.lead import Lead
from responders.hunt.subjects import Key
from responders.hunt.table import Kind
from tests.responders.hunt.records import LEAKED, by_user, record

FIRST = Lead(0, Key(LEAKED))
SECOND = Lead(1, Key("AKIASECOND"))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(tmp_path)
    yield made
    made.close()


def add(index: Index, one: dict[str, Any], lead: Lead = FIRST) -> bool:
    event = read_event(one)
    return index.add(event, classify(event), lead)


def test_events_are_told_apart_by_their_ids(index: Index) -> None:
    one = record("ec2:StopInstances")
    assert add(index, one)
    assert not add(index, {**one, "eventName": "StartInstances"}, SECOND)
    assert [r.name for r in index.rows()] == ["StopInstances"]


def test_rows_come_in_the_order_of_time(index: Index) -> None:
    for at in (5, 1, 3):
        add(index, record(f"ec2:Event{at}", at=at))
    add(index, record("ec2:DescribeInstances", at=2))
    assert [r.name for r in index.rows(without=Kind.READ)] == ["Event1", "Event3", "Event5"]
    assert [r.name for r in index.rows(at_most=2)] == ["Event1", "DescribeInstances"]
    assert index.span() == ("2026-03-01T12:01:00.000Z", "2026-03-01T12:05:00.000Z")


def test_a_key_s_events_are_the_key_s_whoever_found_them(index: Index) -> None:
    add(index, record("ec2:StopInstances", by_user(key="AKIASECOND")), FIRST)
    add(index, record("ec2:StartInstances", by_user(key="ASIAOTHER")), FIRST)
    index.attribute([FIRST, SECOND])
    assert {r.name: r.lead for r in index.rows()} == {"StopInstances": 1, "StartInstances": 0}
    assert index.counts_by_lead() == {0: 1, 1: 1}


def test_things_are_listed_once_with_their_first_event(index: Index) -> None:
    answer = {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}
    add(index, record("ec2:RunInstances", at=2, response=answer))
    add(index, record("ec2:RunInstances", at=1, response=answer))
    add(index, record("ec2:RunInstances", at=3))
    add(index, record("ec2:RunInstances", at=4))
    index.attribute([FIRST])
    found = index.found(Kind.CREATED, 100)
    assert [(f.id, f.time[14:16]) for f in found] == [
        ("i-1", "01"),
        ("i-2", "01"),
        ("", "03"),
        ("", "04"),
    ]
    assert index.has_created("AWS::EC2::Instance", "i-2")
    assert not index.has_created("AWS::EC2::Volume", "i-2")
    (row,) = index.rows(at_most=1)
    assert row.things == ("i-1", "i-2")


def test_attempts_are_summed_up(index: Index) -> None:
    for at, region in enumerate(["eu-west-1", "eu-west-1", "us-east-1"]):
        request = {"secretId": f"secret with spaces {at}"}
        one = record("secretsmanager:DeleteSecret", at=at, region=region, request=request)
        add(index, {**one, "errorCode": "AccessDenied"})
    index.attribute([FIRST])
    (tally,) = index.tallies(Kind.ATTEMPTED, 10)
    assert (tally.name, tally.error, tally.count) == ("DeleteSecret", "AccessDenied", 3)
    assert sorted(tally.regions) == ["eu-west-1", "us-east-1"]
    assert sorted(tally.things) == [f"secret with spaces {at}" for at in range(3)]
    assert index.counts()["attempted"] == 3
    assert set(index.counts()) == {kind.value for kind in Kind}


def test_raw_events_go_into_files_of_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "CHUNK", 2)
    saved: dict[str, bytes] = {}
    chunks = Chunks(saved.__setitem__, "hunt")
    records = [record("ec2:StopInstances", userAgent="ü") for _ in range(5)]
    for one in records:
        chunks.add(one)
    assert list(saved) == ["hunt/events-00001.jsonl.gz", "hunt/events-00002.jsonl.gz"]
    assert chunks.close() == 3
    lines = [line for data in saved.values() for line in gzip.decompress(data).splitlines()]
    assert [json.loads(line) for line in lines] == records
    assert (
        lines[0]
        == json.dumps(
            records[0], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()
    )


def test_a_file_is_closed_when_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "CHUNK_BYTES", 1000)
    saved: dict[str, bytes] = {}
    chunks = Chunks(saved.__setitem__, "hunt")
    chunks.add(record("ec2:StopInstances", userAgent="x" * 2000))
    assert len(saved) == 1


def test_what_json_proper_can_t_hold_is_kept_all_the_same() -> None:
    saved: dict[str, bytes] = {}
    chunks = Chunks(saved.__setitem__, "hunt")
    odd = [{"agent": "\ud800"}, {"number": float("nan")}]
    for one in odd:
        chunks.add(one)
    chunks.close()
    lines = gzip.decompress(saved["hunt/events-00001.jsonl.gz"]).splitlines()
    assert json.loads(lines[0]) == odd[0]
    assert lines[1] == b'{"number":NaN}'
