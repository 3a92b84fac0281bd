"""Rate and memory of a trail that is read fast, and the time of a lookup in all regions.

    make bench-hunt            (or .venv/bin/python -m benchmarks.trail [--events N])

Writes a trail of so many events (1.3 KB each, as a mid-size account's) into a temporary folder,
reads it in a process of its own, and asks again. CPU time is that of the process and its workers,
so that the figure is good on a busy machine too: "on 2 idle cores" is twice the rate of one second
of CPU. Memory is the most that all of them held at once (proportional set size, Linux).
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from responders.aws import Access, Aws
from responders.hunt.lead import Lead
from responders.hunt.lookup import PER_SECOND, EventHistory
from responders.hunt.source import Window
from responders.hunt.subjects import Key

ACCOUNT = "111122223333"
THIEF = "AKIAIOSFODNN7EXAMPLE"
END = datetime(2026, 3, 2, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=1), END)
OBJECT = 2_000
"""Events of one object."""
SAMPLE = 50_000
"""Events that the slower ways read."""
GOAL_RATE, GOAL_MB, GOAL_AGAIN, GOAL_BOUND = 100_000, 300, 2.0, 1.1
REGIONS, PAGES, LATENCY = 17, 20, 0.3
CALLS = ("DescribeInstances", "GetObject", "AssumeRole", "PutObject", "ListBuckets", "Decrypt")


def _template() -> str:
    """A record of 1.3 KB with four holes, as text: to write a million must not take long."""
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLEEXAMPLE:app",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0123456789abcdef0",
            "accountId": ACCOUNT,
            "accessKeyId": "@KEY@",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLEEXAMPLE",
                    "arn": f"arn:aws:iam::{ACCOUNT}:role/app",
                    "accountId": ACCOUNT,
                    "userName": "app",
                },
                "attributes": {"creationDate": "2026-03-01T00:00:00Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": "@TIME@",
        "eventSource": "example.amazonaws.com",
        "eventName": "@NAME@",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-sdk-java/2.25 Linux/6.1 OpenJDK_64-Bit_Server_VM/17 exec-env/example",
        "requestParameters": {"bucketName": "example-bucket", "key": "data/@ID@", "x": "y" * 120},
        "responseElements": None,
        "additionalEventData": {"CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0},
        "requestID": "@ID@",
        "eventID": "@ID@",
        "readOnly": True,
        "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::example-bucket/data/@ID@"}],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Data",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "clientProvidedHostHeader": "example.amazonaws.com",
        },
    }
    return json.dumps(record, separators=(",", ":"))


def write_trail(folder: Path, events: int) -> int:
    """Writes the objects; gives the bytes of their text. Every thousandth event is the thief's."""
    day = folder / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/03/01"
    day.mkdir(parents=True)
    template, dice, size = _template(), random.Random(7), 0  # noqa: S311, no secret
    for first in range(0, events, OBJECT):
        lines = []
        for number in range(first, min(first + OBJECT, events)):
            at = WINDOW.start + timedelta(seconds=number % 86_000)
            key = THIEF if number % 1000 == 0 else f"ASIA{number % 97:016}"
            lines.append(
                template.replace("@ID@", f"{dice.getrandbits(128):032x}")
                .replace("@KEY@", key)
                .replace("@TIME@", f"{at:%Y-%m-%dT%H:%M:%SZ}")
                .replace("@NAME@", CALLS[number % len(CALLS)])
            )
        text = f'{{"Records":[{",".join(lines)}]}}'.encode()
        size += len(text)
        at = WINDOW.start + timedelta(minutes=first // OBJECT % 1440)
        name = f"{ACCOUNT}_CloudTrail_eu-west-1_{at:%Y%m%dT%H%MZ}_{first:016}.json.gz"
        (day / name).write_bytes(gzip.compress(text, 6))
    return size


class Memory:
    """The most that this process and its children held at once, in MB, by a look every 50 ms."""

    def __enter__(self) -> Memory:
        self.most, self._ended = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            self.most = max(self.most, sum(map(_pss, _family(os.getpid()))) / 1000)


def _family(pid: int) -> list[int]:
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").glob("*")
        for child in _text(task / "children").split()
    ]
    return [pid, *(member for child in children for member in _family(child))]


def _pss(pid: int) -> int:
    """Kilobytes; a shared page counts for each process with its share."""
    lines = _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""


def _cpu() -> float:
    """Seconds of CPU of this process and of its children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def first_pass(folder: Path, events: int) -> None:
    """Reads the trail, and asks again."""
    from responders.hunt.scan.parts import TemporaryParts
    from responders.hunt.scan.source import TrailScan
    from responders.hunt.trail_folder import TrailFolder

    begun_cpu, begun = _cpu(), time.perf_counter()
    with tempfile.TemporaryDirectory() as work, Memory() as memory:
        parts = TemporaryParts(Path(work) / "kept")
        objects = TrailFolder(folder, ACCOUNT)
        scan = TrailScan(objects, parts, Path(work), threading.Event(), repr)
        (place,) = scan.places

        def question(key: str) -> int:
            return sum(len(page) for page in scan.search(place, [Lead(0, Key(key))], WINDOW))

        matches = question(THIEF)
        seconds, cpu = time.perf_counter() - begun, _cpu() - begun_cpu
        begun_again, begun_cpu = time.perf_counter(), _cpu()
        question("AKIAI44QH8DHBEXAMPLE")
        seconds_again, again_cpu = time.perf_counter() - begun_again, _cpu() - begun_cpu
        size = sum(path.stat().st_size for path in Path(work).rglob("*.parquet"))
    if (scan.events, matches, scan.trouble) != (events, -(-events // 1000), {}):
        raise SystemExit("the trail was not read whole: the figures would mean nothing")
    rate = 2 * events / cpu
    print(
        f"first pass       {seconds:6.1f} s  {events / seconds:9,.0f} events/s  "
        f"{1e6 * cpu / events:5.1f} µs of CPU an event  {memory.most:4.0f} MB at most  "
        f"{size / events:3.0f} bytes an event kept\n"
        f"  on 2 idle cores {rate:9,.0f} events/s{_judged(rate >= GOAL_RATE, f'{GOAL_RATE:,}')}; "
        f"memory{_judged(memory.most <= GOAL_MB, f'{GOAL_MB} MB')}\n"
        f"asked again      {seconds_again:6.2f} s  ({again_cpu:.2f} s of CPU) for {events:,} events"
        f"{_judged(again_cpu / 2 <= GOAL_AGAIN, f'{GOAL_AGAIN} s on 2 idle cores')}"
    )


def _judged(is_met: bool, goal: str) -> str:
    return f" ({'meets' if is_met else 'MISSES'} {goal})"


def with_duckdb(folder: Path, events: int) -> None:
    """DuckDB reads the objects by itself."""
    import duckdb

    def read() -> int:
        with duckdb.connect() as db:
            db.execute("SET threads = 2")
            files = [str(path) for path in sorted(folder.rglob("*.gz"))[: SAMPLE // OBJECT]]
            rows = db.execute(
                "SELECT count(*) FROM (SELECT unnest(Records) AS r FROM read_json(?, "
                "maximum_object_size=268435456)) WHERE r.userIdentity.accessKeyId = ?",
                [files, THIEF],
            ).fetchone()
            return int(rows[0]) if rows else 0

    _other_way("DuckDB alone", read)


def with_json(folder: Path, events: int) -> None:
    """Python's own parser, object by object, in one process."""

    def read() -> int:
        return sum(
            record["userIdentity"]["accessKeyId"] == THIEF
            for path in sorted(folder.rglob("*.gz"))[: SAMPLE // OBJECT]
            for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]
        )

    _other_way("json alone", read)


def _other_way(name: str, read: Callable[[], int]) -> None:
    begun_cpu, begun = _cpu(), time.perf_counter()
    with Memory() as memory:
        if read() != SAMPLE // 1000:
            raise SystemExit(f"{name} did not find every event")
    cpu, seconds = _cpu() - begun_cpu, time.perf_counter() - begun
    print(
        f"{name:<16} {seconds:6.1f} s  {SAMPLE / seconds:9,.0f} events/s  "
        f"{1e6 * cpu / SAMPLE:5.1f} µs of CPU an event  {memory.most:4.0f} MB at most"
    )


class _Lookups:
    """A region's event history: so many pages, each after a while, as AWS answers."""

    def lookup_events(self, **request: Any) -> Mapping[str, Any]:
        """One page."""
        time.sleep(LATENCY)
        page = int(request.get("NextToken", "1"))
        return {"Events": [], **({"NextToken": str(page + 1)} if page < PAGES else {})}


class _History(Aws):
    """The way to AWS, as far as a lookup needs it."""

    @property
    def client(self) -> Any:
        """Gives that client, whichever is asked for."""
        return lambda *_, **__: _Lookups()


def lookups() -> None:
    """All pages of all regions at the rate that AWS allows."""
    regions = [f"xx-example-{number}" for number in range(REGIONS)]
    history = EventHistory(_History(Access()), regions, threading.Event())
    lead = Lead(0, Key(THIEF))
    window = Window(datetime.now(UTC) - timedelta(days=1), datetime.now(UTC))

    def search(region: str) -> None:
        for _ in history.search(region, [lead], window):
            pass

    begun = time.perf_counter()
    threads = [threading.Thread(target=search, args=(region,)) for region in regions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, bound = time.perf_counter() - begun, PAGES / PER_SECOND
    print(
        f"LookupEvents     {seconds:6.1f} s  for {PAGES} pages in each of {REGIONS} regions; AWS's "
        f"rate allows {bound:.1f} s: {seconds / bound:.2f} times the bound"
        f"{_judged(seconds <= GOAL_BOUND * bound, f'{GOAL_BOUND}')}"
    )


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    events = max(parser.parse_args().events, SAMPLE)
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        size = write_trail(Path(folder), events)
        print(f"{events:,} events of {size / events:,.0f} bytes; load {os.getloadavg()[0]:.1f}")
        for reading in (first_pass, with_json, with_duckdb):
            process = spawn.Process(target=reading, args=(Path(folder), events))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)
    lookups()


if __name__ == "__main__":
    main()
