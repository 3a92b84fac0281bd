"""Memory and speed of a hunt over a million events, beside keeping them all in memory.

    .venv/bin/python -m benchmarks.hunt [--events N]

Events of 17 regions, two thirds of them reads, come from a source in this process, so that AWS's
rate (100 events a second and region) does not count. Each way runs in a process of its own; the
figure is the most memory that the process ever held.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from responders.aws import Aws
from responders.hunt.chase import Chase
from responders.hunt.evidence import Chunks
from responders.hunt.follow import Account
from responders.hunt.index import Index
from responders.hunt.lead import Lead
from responders.hunt.source import Page, Window
from responders.hunt.subjects import Key
from responders.hunt.table import Kind

KEY = "AKIAIOSFODNN7EXAMPLE"
ACCOUNT = "111122223333"
REGIONS = 17
PAGE = 50
END = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=90), END)
CALLS = ("DescribeInstances", "ListBuckets", "StopInstances")


def record(region: int, number: int) -> dict[str, Any]:
    """One record, about as large as CloudTrail's are, read from text as `LookupEvents` gives it."""
    at = END - timedelta(seconds=number % 7_000_000)
    text = json.dumps(
        {
            "eventVersion": "1.11",
            "eventID": f"{region:08x}-0000-4000-8000-{number:012x}",
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventName": CALLS[number % 3],
            "eventSource": "ec2.amazonaws.com",
            "awsRegion": f"xx-example-{region}",
            "sourceIPAddress": f"198.51.100.{number % 256}",
            "userAgent": "aws-cli/2.15.0 Python/3.11 Linux/6.1 exe/x86_64.amzn.2023",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": "AIDAEXAMPLE",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
                "accountId": ACCOUNT,
                "accessKeyId": KEY,
                "userName": "alice",
            },
            "requestParameters": {"instancesSet": {"items": [{"instanceId": f"i-{number:017x}"}]}},
            "responseElements": {"requestId": f"{number:036x}", "note": "x" * 400},
            "readOnly": number % 3 < 2,
            "recipientAccountId": ACCOUNT,
        }
    )
    return dict(json.loads(text))


class Source:
    """So many events, page by page, none of which is kept."""

    def __init__(self, events: int) -> None:
        self.places = tuple(f"xx-example-{region}" for region in range(REGIONS))
        self._each = events // REGIONS

    def search(self, region_name: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        region = int(region_name.rpartition("-")[2])
        for begin in range(0, self._each, PAGE):
            yield [record(region, n) for n in range(begin, min(begin + PAGE, self._each))]


def hunt(events: int) -> str:
    """The hunt's own parts: claimed, told apart, classified, counted, kept raw on disk."""
    with tempfile.TemporaryDirectory() as folder:
        index = Index(Path(folder))
        raw = Path(folder) / "raw"
        raw.mkdir()

        def save(name: str, data: bytes) -> None:
            (raw / Path(name).name).write_bytes(data)

        chunks = Chunks(save, "hunt")
        account = Account(
            ACCOUNT, "aws", lambda kind, name: f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"
        )
        stop = threading.Event()
        chase = Chase(index, WINDOW, account, chunks=chunks, stop=stop, tell=lambda _: None)
        chase.run(Aws(), Key(KEY), [Source(events)])
        chunks.close()
        index.attribute(chase.leads)
        counts = index.counts()
        listed = len(list(index.rows(without=Kind.READ, at_most=10_000)))
        index.tallies(Kind.READ, 10_000)
        raw_bytes = sum(path.stat().st_size for path in raw.iterdir())
        table = (Path(folder) / "events.sqlite").stat().st_size
        index.close()
    return (
        f"{sum(counts.values()):,} events counted, {listed:,} listed; on disk {table / 1e6:.0f} MB "
        f"of index, {raw_bytes / 1e6:.0f} MB of raw events"
    )


def in_memory(events: int) -> str:
    """What a script does: every event in a list, told apart by a set, sorted at the end."""
    events_by_id: dict[str, dict[str, Any]] = {}
    source = Source(events)
    for region in source.places:
        for page in source.search(region, (), WINDOW):
            events_by_id |= {event["eventID"]: event for event in page}
    in_order = sorted(events_by_id.values(), key=lambda event: str(event["eventTime"]))
    return f"{len(in_order):,} events in a list"


def measured(name: str, events: int) -> None:
    """Runs one way and says what it took."""
    begun = time.perf_counter()
    summary = {"hunt": hunt, "in memory": in_memory}[name](events)
    seconds = time.perf_counter() - begun
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )
    print(
        f"{name:<10} {seconds:6.1f} s  {events / seconds:8,.0f} events/s  "
        f"{most / 1e6:7.0f} MB at most  {summary}"
    )


def main() -> None:
    """Runs both ways."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    spawn = multiprocessing.get_context("spawn")
    for name in ("hunt", "in memory"):
        process = spawn.Process(target=measured, args=(name, events))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)


if __name__ == "__main__":
    main()
