"""A trail's objects in S3: older events than event history has, and data events.

Objects lie by account, region and day of delivery, which is within minutes of the events:
`[prefix/]AWSLogs/[organization/]<account>/CloudTrail/<region>/YYYY/MM/DD/` (CloudTrail user guide,
"Finding your log files"). They have no index: every object of the days in question is read.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from responders.aws import Aws, explain
from responders.errors import BadInput
from responders.hunt.source import NoSuchTrail, Stored
from responders.hunt.validation import DigestFile
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import (
        ListObjectsV2OutputTypeDef,
        ListObjectsV2RequestPaginateTypeDef,
        ObjectTypeDef,
    )

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
LISTED_AT_ONCE = 16
"""Requests for lists of objects under way at the same time: one for each region and day."""
_DIGEST_END = re.compile(r"_(\d{8}T\d{6}Z)\.json\.gz$")
_STAMP = "%Y%m%dT%H%M%SZ"
_ACCOUNT = re.compile(r"\d{12}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
COLD = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects must be restored before they can be read (S3 user guide)."""


class Trail:
    """The objects of one trail, of the caller's account."""

    def __init__(self, aws: Aws, bucket: str, root: str) -> None:
        self.name = f"trail s3://{bucket}/{root}"
        self._aws, self._bucket, self._root = aws, bucket, root

    @classmethod
    def at(cls, aws: Aws, address: str) -> Trail:
        """The trail at `s3://bucket[/prefix]`; BadInput when that is no address."""
        scheme, _, rest = address.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme != "s3" or not _BUCKET.fullmatch(bucket):
            raise BadInput(
                f"{address!r} is not the address of a trail",
                "Give s3://BUCKET, or s3://BUCKET/PREFIX, as the trail has it "
                "(`aws cloudtrail describe-trails` shows both), or a folder with a copy of it.",
            )
        head = prefix.split("AWSLogs", 1)[0].strip("/")
        return cls(aws, bucket, f"{head}/AWSLogs/" if head else "AWSLogs/")

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

    def digests(self, first: datetime, last: datetime) -> Iterator[DigestFile]:
        """The digest files whose hour ended in this time, some read ahead.

        Their names end with that time, and their folders are named after its day (CloudTrail user
        guide, "CloudTrail digest file structure"). One that can't be had says why.
        """
        pending: deque[Future[DigestFile]] = deque()
        for key in self._digest_keys(first, last):
            pending.append(self._aws.spawn(self._digest, key))
            if len(pending) >= LISTED_AT_ONCE:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def _digest_keys(self, first: datetime, last: datetime) -> Iterator[str]:
        days = [first.date() + timedelta(days=n) for n in range((last - first).days + 2)]
        for base in self._accounts():
            for region in self._folders(f"{base}CloudTrail-Digest/"):
                listings = [self._aws.spawn(self._keys, f"{region}{d:%Y/%m/%d}/") for d in days]
                for listing in listings:
                    for key in listing.result():
                        ended = _DIGEST_END.search(key)
                        if ended and f"{first:{_STAMP}}" <= ended[1] <= f"{last:{_STAMP}}":
                            yield key

    def _digest(self, key: str) -> DigestFile:
        try:
            answer = self._aws.client("s3").get_object(Bucket=self._bucket, Key=key)
            signature = answer["Metadata"].get("signature", "")
            return DigestFile(self._bucket, key, answer["Body"].read(), signature)
        except Exception as error:  # one that can't be had leaves all others to be checked
            return DigestFile(self._bucket, key, b"", "", explain(error))

    def _keys(self, prefix: str) -> list[str]:
        return [str(o["Key"]) for page in self._pages(prefix) for o in page.get("Contents", ())]

    def _folder(self, prefix: str) -> list[Stored]:
        """The objects of one region and day."""
        return [
            Stored(str(item["Key"]), str(item["ETag"]), int(item["Size"]), _obstacle_to(item))
            for page in self._pages(prefix)
            for item in page.get("Contents", ())
            if not holds_no_events(str(item["Key"]))
        ]

    def _bases(self) -> list[str]:
        """Folders of this account's events, one for each kind of event."""
        return [kind for account in self._accounts() for kind in self._kinds(account)]

    def _accounts(self) -> list[str]:
        """Folders of this account: right below the root, or below an organization's."""
        account = self._aws.identity.account
        folders = {f: f.removeprefix(self._root).strip("/") for f in self._folders(self._root)}
        return [
            folder if name == account else f"{folder}{account}/"
            for folder, name in folders.items()
            if name == account or not _ACCOUNT.fullmatch(name)
        ]

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

    def _pages(self, prefix: str, delimiter: str = "") -> Iterator[ListObjectsV2OutputTypeDef]:
        paginator = self._aws.client("s3").get_paginator("list_objects_v2")
        request: ListObjectsV2RequestPaginateTypeDef = {"Bucket": self._bucket, "Prefix": prefix}
        if delimiter:
            request["Delimiter"] = delimiter
        yield from paginator.paginate(**request)


def _obstacle_to(item: ObjectTypeDef) -> str:
    """Why a listed object can't be read; empty when nothing is known to be in the way."""
    storage = str(item.get("StorageClass", "STANDARD"))
    archived = f"archived ({storage}): restore it to read it" if storage in COLD else ""
    return obstacle(str(item["Key"])) or archived


def obstacle(key: str) -> str:
    """Why an object of this name is none that holds events; empty when it may."""
    return "" if key.endswith((".json.gz", ".json")) else "its name is none of a log file's"


def holds_no_events(key: str) -> bool:
    """A folder's marker, or a digest (those sign the log files), wherever it was copied to."""
    return key.endswith("/") or "CloudTrail-Digest" in key
