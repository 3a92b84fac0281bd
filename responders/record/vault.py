"""The evidence vault: a bucket with Object Lock; a run copies its record there as it goes."""

from __future__ import annotations

import base64
import hashlib
import queue
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from responders import prepared
from responders.aws import Aws, explain
from responders.permissions import allow

PERMISSIONS = (
    allow(
        "s3:PutObject",
        on=("arn:{partition}:s3:::{vault}/cases/*", "arn:{partition}:s3:::{vault}/tools/*"),
        because="keeps the journal and the evidence in the vault",
        risk="can add versions; Object Lock keeps the ones before",
    ),
    allow(
        "s3:GetObject",
        on=("arn:{partition}:s3:::{vault}/cases/*", "arn:{partition}:s3:::{vault}/tools/*"),
        because="verifies the vault's copy, and restores a record from it",
    ),
    allow("s3:ListBucket", on="arn:{partition}:s3:::{vault}", because="compares both copies"),
    allow(
        "kms:GenerateDataKey",
        "kms:Decrypt",
        on="{vault_key}",
        because="the vault's objects are encrypted with the kit's key (called by S3, not directly)",
    ),
)


ENOUGH_TROUBLE = 3
"""Failed uploads after which the rest is left to `cordon case sync`."""


class Vault:
    """One bucket, in its region. Methods raise boto3's errors."""

    def __init__(self, aws: Aws, bucket: str, region: str) -> None:
        self.bucket, self.region, self._aws = bucket, region, aws

    @property
    def _s3(self) -> Any:
        return self._aws.client("s3", self.region)

    def put(self, key: str, data: bytes) -> None:
        """Stores an object; S3 refuses it when the SHA-256 on the way differs."""
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=data, ChecksumSHA256=digest)

    def get(self, key: str) -> bytes:
        """An object's bytes."""
        return bytes(self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def beginning(self, key: str, count: int) -> bytes:
        """The first `count` bytes of an object, or all if it is shorter."""
        answer = self._s3.get_object(Bucket=self.bucket, Key=key, Range=f"bytes=0-{count - 1}")
        return bytes(answer["Body"].read())

    def stored(self, prefix: str) -> dict[str, datetime]:
        """Keys under a prefix, with when S3 stored them (UTC)."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return {o["Key"]: o["LastModified"] for page in pages for o in page.get("Contents", ())}

    def sizes(self, prefix: str) -> dict[str, int]:
        """Keys under a prefix, with their sizes in bytes."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return {o["Key"]: int(o["Size"]) for page in pages for o in page.get("Contents", ())}


class Mirror:
    """Copies files to the vault in the background, so that a slow vault holds up nothing.

    `find` is called in the background and gives the vault, or None where none is prepared.
    """

    def __init__(self, find: Callable[[], Vault | None]) -> None:
        self._find = find
        self._queue: queue.Queue[Callable[[Vault], object] | None] = queue.Queue()
        self._trouble: list[str] = []
        self._lock = threading.Lock()
        self._left = 0
        self._thread: threading.Thread | None = None
        self.bucket = ""

    def add(self, key: str, path: Path) -> None:
        """Queues one file."""
        self.later(lambda vault: vault.put(key, path.read_bytes()))

    def later(self, work: Callable[[Vault], object]) -> None:
        """Queues any work with the vault."""
        with self._lock:
            self._left += 1
            self._queue.put(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="vault")
                self._thread.start()

    def close(self, seconds: float) -> str:
        """Waits for what is queued; the empty string when all of it is in the vault, else why not.

        Gives up after `seconds`; `cordon case sync` finishes later.
        """
        self._queue.put(None)
        if self._thread:
            self._thread.join(seconds)
        if self._trouble:
            return self._trouble[0]
        if self._left:
            return f"{self._left} uploads were still under way after {seconds:.0f} s"
        return ""

    def _work(self) -> None:
        vault: Vault | None = None
        while (work := self._queue.get()) is not None:
            if len(self._trouble) >= ENOUGH_TROUBLE:
                continue
            try:
                vault = vault or self._find()
                if vault is None:
                    self._trouble.append("no vault is prepared in this region")
                    return
                self.bucket = vault.bucket
                work(vault)
            except Exception as error:
                self._trouble.append(f"the vault can't be reached: {explain(error)}")
            else:
                with self._lock:
                    self._left -= 1


def find(aws: Aws, region: str) -> Vault | None:
    """The vault that a region's manifest names; None where nothing is prepared."""
    manifest = prepared.manifest(aws, region)
    if manifest is None or not manifest.vault_bucket:
        return None
    return Vault(aws, manifest.vault_bucket, manifest.vault_region or region)
