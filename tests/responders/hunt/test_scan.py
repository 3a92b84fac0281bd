"""A trail's objects, decoded once and asked in SQL: all of it is found that plain reading finds."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from responders.hunt.lead import Lead
from responders.hunt.scan import source as scan
from responders.hunt.scan.decode import Fetched, footer_of, write_part
from responders.hunt.scan.parts import CaseParts, TemporaryParts
from responders.hunt.scan.source import TrailScan
from responders.hunt.source import Stored, Window
from responders.hunt.subjects import Everything, Key, Role, Root, User
from responders.hunt.trail_folder import TrailFolder
from responders.record.journal import sha256
from tests.responders.hunt.records import LEAKED, START, arn, record

WINDOW = Window(START, START + timedelta(days=2))
ACCOUNT = "123456789012"


def put(trail: Path, name: str, *records: Any, day: datetime = START, plain: bool = False) -> Path:
    """One object of a trail in a folder."""
    folder = trail / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/{day:%Y/%m/%d}"
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps({"Records": list(records)}).encode()
    path = folder / f"{name}.json{'' if plain else '.gz'}"
    path.write_bytes(data if plain else gzip.compress(data))
    return path


def scanned(trail: Path, work: Path, parts: Any = None) -> TrailScan:
    work.mkdir(exist_ok=True)
    parts = parts or TemporaryParts(work / "kept")
    return TrailScan(TrailFolder(trail, ACCOUNT), parts, work, threading.Event(), repr)


def ids(source: TrailScan, *leads: Lead, window: Window = WINDOW) -> set[str]:
    (place,) = source.places
    pages = source.search(place, leads, window)
    return {found["eventID"] if found else "unreadable" for page in pages for found in page}


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    folder = tmp_path / "trail"
    folder.mkdir()
    return folder


def lead(subject: Any) -> Lead:
    return Lead(0, subject)


def test_every_question_finds_its_events_and_no_object_is_read_twice(
    trail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_key = record("ec2:RunInstances", read_only=False)
    root = {**record("iam:ListUsers"), "userIdentity": {"type": "Root", "arn": arn("root")}}
    assumed = record("sts:AssumeRole", request={"roleArn": arn("role/deploy")}, key="AKIAOTHER")
    put(trail, "a", by_key, root)
    put(trail, "b", assumed, plain=True)
    fetched: list[str] = []
    fetch = TrailFolder.fetch
    monkeypatch.setattr(
        TrailFolder, "fetch", lambda self, key: fetched.append(key) or fetch(self, key)
    )
    source = scanned(trail, tmp_path / "work")
    assert ids(source, lead(Key(LEAKED))) >= {by_key["eventID"]}
    assert ids(source, lead(Root(arn("root")))) == {root["eventID"]}
    assert ids(source, lead(Role(arn("role/deploy")))) >= {assumed["eventID"]}
    changes = {one["eventID"] for one in (by_key, assumed) if not one.get("readOnly")}
    assert ids(source, lead(Everything(ACCOUNT))) >= changes
    assert len(fetched) == 2
    assert (source.objects, source.events, list(source.trouble)) == (2, 3, [])


@pytest.mark.parametrize(
    "hostile",
    [
        {"userIdentity": "nobody"},
        {"userIdentity": {"type": 7, "accessKeyId": LEAKED}},
        {"eventName": ["RunInstances"]},
        {"requestParameters": "'; DROP TABLE events; --"},
        {"sourceIPAddress": "\ud800"},
    ],
    ids=str,
)
def test_a_record_of_another_shape_is_never_left_out(
    trail: Path, tmp_path: Path, hostile: dict[str, Any]
) -> None:
    strange = {**record("ec2:RunInstances"), **hostile}
    put(trail, "a", strange, record("s3:GetObject", key="AKIAOTHER"))
    assert strange["eventID"] in ids(scanned(trail, tmp_path / "work"), lead(Key(LEAKED)))


@pytest.mark.parametrize(
    "text",
    [b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00garbage", b"<html>", b"[]", b'{"Records": 7}', b"{}"],
)
def test_an_object_that_is_not_readable_is_named_and_keeps_no_other_from_being_read(
    trail: Path, tmp_path: Path, text: bytes
) -> None:
    event = record("ec2:RunInstances")
    broken = put(trail, "a")
    broken.write_bytes(text)
    put(trail, "b", event)
    source = scanned(trail, tmp_path / "work")
    assert ids(source, lead(Key(LEAKED))) == {event["eventID"]}
    (line,) = source.trouble
    assert line.startswith(broken.relative_to(trail).as_posix())


def test_a_file_whose_name_is_no_text_is_named(trail: Path, tmp_path: Path) -> None:
    event = record("ec2:RunInstances")
    path = put(trail, "a", event)
    Path(os.fsdecode(os.fsencode(path.parent) + b"/\xff.json.gz")).write_bytes(b"x")
    source = scanned(trail, tmp_path / "work")
    assert ids(source, lead(Key(LEAKED))) == {event["eventID"]}
    (line,) = source.trouble
    assert line.endswith("\\udcff.json.gz: its name is not UTF-8")


def test_a_user_name_is_no_sql(trail: Path, tmp_path: Path) -> None:
    event = record("ec2:RunInstances")
    put(trail, "a", event)
    name = "user/o'hara' OR 1=1 --"
    assert ids(scanned(trail, tmp_path / "work"), lead(User(arn(name)))) == set()


def test_only_the_days_in_question_are_read(trail: Path, tmp_path: Path) -> None:
    events = [record("s3:GetObject", at=60 * 24 * n) for n in range(-2, 6)]
    for number, event in enumerate(events):
        put(trail, f"{number}", event, day=START + timedelta(days=number - 2))
    source = scanned(trail, tmp_path / "work")
    assert ids(source, lead(Key(LEAKED))) == {one["eventID"] for one in events[2:5]}
    assert source.objects == 4


class Fails(TrailFolder):
    """A trail one of whose objects can't be had, and one is archived."""

    def listed(self, first: Any, last: Any) -> Iterable[Stored]:
        yield Stored("archived.json.gz", "e", 1, "archived (GLACIER): restore it to read it")
        yield from super().listed(first, last)

    def fetch(self, key: str) -> bytes:
        if key.endswith("a.json.gz"):
            raise OSError("gone")
        return super().fetch(key)


def test_what_cannot_be_had_is_named(trail: Path, tmp_path: Path) -> None:
    event = record("ec2:RunInstances")
    put(trail, "a", record("ec2:RunInstances"))
    put(trail, "b", event)
    parts = TemporaryParts(tmp_path / "kept")
    source = TrailScan(Fails(trail, ACCOUNT), parts, tmp_path, threading.Event(), str)
    assert ids(source, lead(Key(LEAKED))) == {event["eventID"]}
    assert [line.partition(": ")[2] for line in sorted(source.trouble)] == [
        "gone",
        "archived (GLACIER): restore it to read it",
    ]


class Shelf:
    """Evidence of a case, as far as parts need it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes: dict[str, str] = {}

    def save(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.hashes[name] = sha256(data)

    def parts(self, run: str) -> CaseParts:
        listed = [(self.folder / name, digest) for name, digest in self.hashes.items()]
        return CaseParts(
            listed,
            lambda name, data: self.save(f"{run}/{name}", data),
            lambda name: self.folder / run / name,
        )


def test_a_later_hunt_of_the_case_reads_only_what_is_new(trail: Path, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "evidence")
    first, second = record("ec2:RunInstances"), record("ec2:StopInstances")
    put(trail, "a", first)
    scan_one = scanned(trail, tmp_path / "one", shelf.parts("one"))
    assert ids(scan_one, lead(Key(LEAKED))) == {first["eventID"]}
    (name,) = shelf.hashes
    (kept,) = footer_of(str(shelf.folder / name)).objects
    assert kept.records == 1
    put(trail, "b", second)
    fetched: list[str] = []
    later = scanned(trail, tmp_path / "two", shelf.parts("two"))
    fetch = later._objects.fetch
    later._objects.fetch = lambda key: fetched.append(key) or fetch(key)  # type: ignore[method-assign]
    assert ids(later, lead(Key(LEAKED))) == {first["eventID"], second["eventID"]}
    assert [Path(key).name for key in fetched] == ["b.json.gz"]


def test_a_part_that_was_changed_is_not_believed(trail: Path, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "evidence")
    event = record("ec2:RunInstances")
    put(trail, "a", event)
    ids(scanned(trail, tmp_path / "one", shelf.parts("one")), lead(Key(LEAKED)))
    (name,) = shelf.hashes
    write_part([Fetched("a", "e", b'{"Records": []}')], str(shelf.folder / name), "trail")
    assert ids(scanned(trail, tmp_path / "two", shelf.parts("two")), lead(Key(LEAKED))) == {
        event["eventID"]
    }


@pytest.mark.parametrize("has_processes", [True, False])
def test_worker_processes_read_the_same(
    trail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_processes: bool
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("no semaphores here")

    monkeypatch.setattr(scan, "PART_BYTES", 1)
    monkeypatch.setattr(scan, "INLINE_BYTES", 1)
    monkeypatch.setattr(scan, "MOST_WORKERS", 1)
    if not has_processes:
        monkeypatch.setattr(scan, "ProcessPoolExecutor", refuse)
    events = [record("ec2:RunInstances") for _ in range(5)]
    for number, event in enumerate(events):
        put(trail, f"{number}", event)
    source = scanned(trail, tmp_path / "work")
    assert ids(source, lead(Key(LEAKED))) == {event["eventID"] for event in events}
    assert len(list((tmp_path / "work/kept/trail").iterdir())) == 5


def test_an_interrupted_scan_ends(trail: Path, tmp_path: Path) -> None:
    put(trail, "a", record("ec2:RunInstances"))
    source = scanned(trail, tmp_path / "work")
    source._stop.set()
    assert ids(source, lead(Key(LEAKED))) == set()
    assert datetime.now(UTC) > START
