"""The evidence vault: a bucket with Object Lock; a run copies its record there as it goes.

Nothing in it is replaced: objects are created by conditional write, and of several versions of
one key the oldest counts.
"""

from __future__ import annotations

import base64
import hashlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from responders.aws import Aws, code_of, explain
from responders.permissions import allow
from responders.record.store import AlreadyThere
from responders.trust.trust import Trust
from responders.trust.vault_proof import VaultNotProven

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectVersionTypeDef

KEYS = tuple("arn:{partition}:s3:::{vault}/" + kind for kind in ("cases/*", "claims/*", "tools/*"))

PERMISSIONS = (
    allow(
        "s3:PutObject",
        on=KEYS,
        because="keeps the journal, the evidence and who works on what in the vault",
        risk="can add versions; Object Lock keeps the ones before, and the oldest counts",
    ),
    allow(
        "s3:GetObject",
        on=KEYS,
        because="verifies the vault's copy, and restores a record from it",
    ),
    allow(
        "s3:GetObjectVersion",
        on=KEYS,
        because="reads what was first written, whatever was written over it",
    ),
    allow(
        "s3:ListBucket",
        "s3:ListBucketVersions",
        on="arn:{partition}:s3:::{vault}",
        because="compares both copies",
    ),
    allow(
        "kms:GenerateDataKey",
        "kms:Decrypt",
        on="{vault_key}",
        because="the vault's objects are encrypted with the kit's key (called by S3, not directly)",
    ),
)


ENOUGH_TROUBLE = 3
"""Failed uploads after which the rest is left to `cordon case sync`."""
UPLOADS_AT_ONCE = 8
"""Objects on their way to the vault at the same time."""
TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""S3's codes for a key that somebody wrote, or is writing at this moment."""


@dataclass(frozen=True)
class Stored:
    """The oldest version of an object: what was first written under its key."""

    version: str
    size: int
    """In bytes."""
    versions: tuple[str, ...]
    """Ids of all versions, the newest first. More than one: it was written again."""
    sizes: frozenset[int]
    """Bytes of all versions."""
    deleted: bool = False
    """Whether a delete marker hides it."""


class _Named(TypedDict):
    """Goes into every call: a bucket of another account answers none of them."""

    Bucket: str
    ExpectedBucketOwner: str


class Vault:
    """One bucket, in its region: a `Store` in which the oldest version of an object counts.

    A key may be created again once a delete marker hides it, and whoever may write at all may
    write a key unconditionally; neither changes what was first written there (S3 user guide,
    "Conditional requests"). `owner` is the account that it must belong to. Methods raise the
    errors of boto3.
    """

    def __init__(self, aws: Aws, bucket: str, region: str, owner: str) -> None:
        self.bucket, self.region, self._aws = bucket, region, aws
        self._named: _Named = {"Bucket": bucket, "ExpectedBucketOwner": owner}

    @property
    def _s3(self) -> S3Client:
        client: S3Client = self._aws.client("s3", self.region)
        return client

    def append(self, key: str, data: bytes) -> None:
        """Creates an object; S3 refuses it when the SHA-256 on the way differs.

        `AlreadyThere` when the key holds other bytes. A lost answer is made good by looking.
        """
        digest = hashlib.sha256(data).digest()
        try:
            self._s3.put_object(
                **self._named,
                Key=key,
                Body=data,
                ChecksumSHA256=base64.b64encode(digest).decode(),
                IfNoneMatch="*",
            )
        except Exception as error:
            # boto3 sends a lost call again, and is then refused because the first had arrived.
            taken = code_of(error) in TAKEN
            if not taken and code_of(error):
                raise
            if not self._holds(key, data, error, taken):
                raise AlreadyThere(key) from error

    def _holds(self, key: str, data: bytes, error: Exception, taken: bool) -> bool:
        try:
            return self.get(key) == data
        except Exception as unread:
            raise error from (unread if taken else None)

    def get(self, key: str) -> bytes:
        """The bytes that were first written under a key."""
        stored = self.objects(key).get(key)
        return self.read(key, stored.version if stored else "")

    def read(self, key: str, version: str = "") -> bytes:
        """The bytes of one version of an object, or of the newest."""
        if not version:
            return self._s3.get_object(**self._named, Key=key)["Body"].read()
        answer = self._s3.get_object(**self._named, Key=key, VersionId=version)
        return answer["Body"].read()

    def beginning(self, key: str, count: int) -> bytes:
        """The first `count` bytes of an object, or all if it is shorter."""
        answer = self._s3.get_object(**self._named, Key=key, Range=f"bytes=0-{count - 1}")
        return answer["Body"].read()

    def stored(self, prefix: str) -> dict[str, datetime]:
        """Keys under a prefix, with when S3 stored them (UTC)."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(**self._named, Prefix=prefix)
        return {o["Key"]: o["LastModified"] for page in pages for o in page.get("Contents", ())}

    def sizes(self, prefix: str) -> dict[str, int]:
        """Keys under a prefix as they are now, with their sizes in bytes."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(**self._named, Prefix=prefix)
        return {o["Key"]: int(o["Size"]) for page in pages for o in page.get("Contents", ())}

    def keys(self, prefix: str) -> dict[str, int]:
        """Keys under a prefix, with the sizes of what was first written there (bytes)."""
        return {key: stored.size for key, stored in self.objects(prefix).items()}

    def objects(self, prefix: str) -> dict[str, Stored]:
        """Every key under a prefix that was ever written, with its oldest version."""
        versions: dict[str, list[ObjectVersionTypeDef]] = {}
        hidden: set[str] = set()
        pages = self._s3.get_paginator("list_object_versions").paginate(
            **self._named, Prefix=prefix
        )
        for page in pages:
            for version in page.get("Versions", ()):
                versions.setdefault(version["Key"], []).append(version)
            hidden |= {m["Key"] for m in page.get("DeleteMarkers", ()) if m.get("IsLatest")}
        return {key: _oldest(listed, key in hidden) for key, listed in sorted(versions.items())}


def _oldest(listed: Sequence[ObjectVersionTypeDef], deleted: bool) -> Stored:
    """S3 lists the newest first, and tells times in whole seconds: of two, the later listed."""
    oldest = min(reversed(listed), key=lambda version: version["LastModified"])
    return Stored(
        oldest["VersionId"],
        int(oldest["Size"]),
        tuple(version["VersionId"] for version in listed),
        frozenset(int(version["Size"]) for version in listed),
        deleted,
    )


class Mirror:
    """Copies a record to the vault in the background, so that a slow vault holds up nothing.

    `find` is called in the background and gives the vault, or None where none is prepared. Several
    objects are on their way at once, in any order: the journal's own order is in its hash chain.
    """

    def __init__(self, find: Callable[[], Vault | None]) -> None:
        self._find = find
        self._queue: queue.Queue[Callable[[Vault], object] | None] = queue.Queue()
        self._trouble: list[str] = []
        self._lock = threading.Lock()
        self._finding = threading.Lock()
        self._vault: Vault | None = None
        self._not_sent = self._waiting = 0
        self._settled = threading.Condition(self._lock)
        self._threads: list[threading.Thread] = []
        self.bucket = ""
        self.interrupted = False
        """Whether the user interrupted the wait for the last uploads."""

    def add(self, key: str, path: Path) -> None:
        """Queues one file."""
        self.later(lambda vault: vault.append(key, path.read_bytes()))

    def later(self, work: Callable[[Vault], object]) -> None:
        """Queues any work with the vault."""
        with self._lock:
            self._not_sent += 1
            self._waiting += 1
            self._queue.put(work)
            if len(self._threads) < min(self._waiting, UPLOADS_AT_ONCE):
                thread = threading.Thread(target=self._work, daemon=True, name="vault")
                self._threads.append(thread)
                thread.start()

    def close(self, seconds: float) -> str:
        """Waits for what is queued; the empty string when all of it is in the vault, else why not.

        Gives up after `seconds`, or when the user interrupts; `cordon case sync` finishes later.
        """
        try:
            with self._lock:
                self._settled.wait_for(lambda: not self._waiting, seconds)
        except KeyboardInterrupt:
            self.interrupted = True
        for _ in self._threads:
            self._queue.put(None)
        if self._trouble:
            return self._trouble[0]
        if self._not_sent and self.interrupted:
            return f"{self._not_sent} uploads were still under way when it was interrupted"
        if self._not_sent:
            return f"{self._not_sent} uploads were still under way after {seconds:.0f} s"
        return ""

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            sent = False
            try:
                sent = self._sent(work)
            finally:
                with self._lock:
                    self._waiting -= 1
                    self._not_sent -= sent
                    self._settled.notify_all()

    def _sent(self, work: Callable[[Vault], object]) -> bool:
        if len(self._trouble) >= ENOUGH_TROUBLE:
            return False
        try:
            work(self._found())
        except AlreadyThere as error:
            self._trouble.append(f"the vault has another record: {error}")
        except VaultNotProven as error:
            self._trouble += [error.message] * ENOUGH_TROUBLE
        except _NoVault:
            self._trouble += ["no vault is prepared in this region"] * ENOUGH_TROUBLE
        except Exception as error:
            self._trouble.append(f"the vault can't be reached: {explain(error)}")
        else:
            return True
        return False

    def _found(self) -> Vault:
        with self._finding:
            if self._vault is None:
                self._vault = self._find()
            if self._vault is None:
                raise _NoVault
            self.bucket = self._vault.bucket
            return self._vault


class _NoVault(Exception):
    """Nothing is prepared to copy to."""


def find(aws: Aws, region: str, trust: Trust | None = None) -> Vault | None:
    """The vault to use from a region, after it has proven itself; None where none is prepared.

    `VaultNotProven` says why one that is named is not used.
    """
    claim = (trust or Trust(aws, region)).proven_vault()
    if claim is None:
        return None
    return Vault(aws, claim.bucket, claim.region, claim.owner)
