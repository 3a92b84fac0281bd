"""A trail's objects in S3: older events than event history has, and data events.

Objects lie by account, region and day of delivery, which is within minutes of the events:
`[prefix/]AWSLogs/[organization/]<account>/CloudTrail/<region>/YYYY/MM/DD/` (CloudTrail user guide,
"Finding your log files"). They have no index: every object of the days in question is read.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from responders.aws import Aws, explain
from responders.errors import BadInput
from responders.hunt.lead import Lead
from responders.hunt.source import Page, Stored, Window
from responders.hunt.unzip import decompressed
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import ListObjectsV2RequestPaginateTypeDef, ObjectTypeDef

PERMISSIONS = (
    allow(
        "s3:GetObject",
        on="arn:{partition}:s3:::*/AWSLogs/*/CloudTrail*",
        because="hunts in a trail's objects for older events, and for data events",
        risk="reads the logs of any trail in a bucket that admits this account",
    ),
    allow(
        "s3:ListBucket",
        on="arn:{partition}:s3:::*",
        when={"StringLike": {"s3:prefix": "*AWSLogs/*"}},
        because="finds a trail's objects",
    ),
    allow(
        "kms:Decrypt",
        on="arn:{partition}:kms:*:{account}:key/*",
        when={
            "StringLike": {
                "kms:ViaService": "s3.*",
                "kms:EncryptionContext:aws:cloudtrail:arn": "arn:*:cloudtrail:*:trail/*",
            }
        },
        because="reads a trail's objects that are encrypted (called by S3, not directly)",
        risk="only inside S3, and only what a trail wrote",
    ),
    allow(
        "kms:Decrypt",
        on="{trail_key}",
        when={
            "StringLike": {
                "kms:ViaService": "s3.*",
                "kms:EncryptionContext:aws:cloudtrail:arn": "arn:*:cloudtrail:*:trail/*",
            }
        },
        because="reads a trail's objects under a key of the log archive (`cordon:trailKeys`)",
        risk="only inside S3, and only what a trail wrote",
    ),
)
GZIP = b"\x1f\x8b"
LISTED_AT_ONCE = 16
"""Requests for lists of objects under way at the same time: one for each region and day."""
AT_ONCE = 8
"""Objects that are read at the same time, and held in memory."""
MOST_BYTES = 256 * 1024 * 1024
"""Of one object, decompressed; CloudTrail's are much smaller. A larger one is not read."""
LATE = timedelta(days=1)
"""How much later than an event its object may be found, by the day in the name."""
_ACCOUNT = re.compile(r"\d{12}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
COLD = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects must be restored before they can be read (S3 user guide)."""


class NoSuchTrail(Exception):
    """There are no objects of this account where they should be."""


class Trail:
    """The objects of one trail, of the caller's account."""

    def __init__(self, aws: Aws, bucket: str, root: str) -> None:
        self.name = f"trail s3://{bucket}/{root}"
        self.places = (self.name,)
        self.trouble: list[str] = []
        """What could not be read, a line each: the object's key, and why."""
        self._aws, self._bucket, self._root = aws, bucket, root

    @classmethod
    def at(cls, aws: Aws, address: str) -> Trail:
        """The trail at `s3://bucket[/prefix]`; BadInput when that is no address."""
        scheme, _, rest = address.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme != "s3" or not _BUCKET.fullmatch(bucket):
            raise BadInput(
                f"{address!r} is not the address of a trail",
                "Give s3://BUCKET, or s3://BUCKET/PREFIX, as the trail has it: "
                "`aws cloudtrail describe-trails` shows both.",
            )
        head = prefix.split("AWSLogs", 1)[0].strip("/")
        return cls(aws, bucket, f"{head}/AWSLogs/" if head else "AWSLogs/")

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """Every record of the days in question, day by day, all regions of a day together.

        An object that can't be read is in `trouble`, and keeps no other from being read.
        """
        yield from self._read(self.listed(window.since(leads).date(), (window.end + LATE).date()))

    def listed(self, first: date, last: date) -> Iterator[Stored]:
        """The objects that were delivered in these days, day by day; NoSuchTrail when none are."""
        regions = [r for base in self._bases() for r in self._folders(base)]
        if not regions:
            raise NoSuchTrail(
                f"no objects of account {self._aws.identity.account} under "
                f"s3://{self._bucket}/{self._root}"
            )
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        folders = iter([f"{region}{day:%Y/%m/%d}/" for day in days for region in regions])
        pending = deque(
            self._aws.spawn(self._folder, folder) for folder in islice(folders, LISTED_AT_ONCE)
        )
        while pending:
            yield from pending.popleft().result()
            pending += [self._aws.spawn(self._folder, folder) for folder in islice(folders, 1)]

    def fetch(self, key: str) -> bytes:
        """The bytes of an object, as they are stored."""
        return self._aws.client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def _folder(self, prefix: str) -> list[Stored]:
        """The objects of one region and day."""
        return [
            Stored(str(item["Key"]), str(item["ETag"]), int(item["Size"]), _obstacle(item))
            for page in self._pages(prefix)
            for item in page.get("Contents", ())
            if not _holds_no_events(str(item["Key"]))
        ]

    def _bases(self) -> list[str]:
        """Folders of this account: right below the root, or below an organization's."""
        account = self._aws.identity.account
        found = []
        for folder in self._folders(self._root):
            name = folder.removeprefix(self._root).strip("/")
            if name == account:
                found += self._kinds(folder)
            elif not _ACCOUNT.fullmatch(name):
                found += self._kinds(f"{folder}{account}/")
        return found

    def _kinds(self, folder: str) -> list[str]:
        """Folders of all kinds of events, such as CloudTrail-Insight; digests hold no events."""
        kinds = self._folders(folder)
        names = [kind.removeprefix(folder).strip("/") for kind in kinds]
        return [
            kind
            for kind, name in zip(kinds, names, strict=True)
            if name.startswith("CloudTrail") and name != "CloudTrail-Digest"
        ]

    def _folders(self, prefix: str) -> list[str]:
        pages = self._pages(prefix, "/")
        return [str(p["Prefix"]) for page in pages for p in page.get("CommonPrefixes", ())]

    def _pages(self, prefix: str, delimiter: str = "") -> Iterator[Any]:
        paginator = self._aws.client("s3").get_paginator("list_objects_v2")
        request: ListObjectsV2RequestPaginateTypeDef = {"Bucket": self._bucket, "Prefix": prefix}
        if delimiter:
            request["Delimiter"] = delimiter
        yield from paginator.paginate(**request)

    def _read(self, objects: Iterator[Stored]) -> Iterator[Page]:
        """The records of each object, in order, some objects ahead."""
        ahead: deque[tuple[Stored, Future[Page]]] = deque()
        for stored in objects:
            if stored.trouble:
                self._miss(stored, stored.trouble)
            else:
                ahead.append((stored, self._aws.spawn(self._records, stored.key)))
            if len(ahead) >= AT_ONCE:
                yield self._page(*ahead.popleft())
        while ahead:
            yield self._page(*ahead.popleft())

    def _page(self, stored: Stored, answer: Future[Page]) -> Page:
        try:
            return answer.result()
        except (ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
            self._miss(stored, f"not readable: {type(error).__name__}")
        except Exception as error:  # one object that can't be had leaves all others to be read
            self._miss(stored, explain(error))
        return []

    def _miss(self, stored: Stored, why: str) -> None:
        line = f"{stored.key}: {why}"
        if line not in self.trouble:  # each lead reads the objects again
            self.trouble.append(line)

    def _records(self, key: str) -> Page:
        """An object's records, whether it is compressed or not (exports and copies are not)."""
        body = self.fetch(key)
        text = decompressed(body, MOST_BYTES) if body.startswith(GZIP) else body
        records = json.loads(text)["Records"]
        if not isinstance(records, list):
            raise TypeError("no list of records")
        return records


def _obstacle(item: ObjectTypeDef) -> str:
    """Why a listed object can't be read; empty when nothing is known to be in the way."""
    if not item["Key"].endswith((".json.gz", ".json")):
        return "its name is none of a log file's"
    storage = str(item.get("StorageClass", "STANDARD"))
    return f"archived ({storage}): restore it to read it" if storage in COLD else ""


def _holds_no_events(key: str) -> bool:
    """A folder's marker, or a digest (those sign the log files) that was copied among them."""
    return key.endswith("/") or "_CloudTrail-Digest_" in key
