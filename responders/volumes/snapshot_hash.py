"""Hashes a snapshot without a machine, by the EBS direct APIs.

The result is the SHA-256 of the whole disk as a volume of the same size would show it: blocks that
were never written are zeros there, and are not listed. Every block is checked against the checksum
that EBS sends with it. All written blocks are read, so it takes as long as they take to come here.
"""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from responders.aws import Aws

if TYPE_CHECKING:
    from types_boto3_ebs import EBSClient
    from types_boto3_ebs.type_defs import BlockTypeDef, ListSnapshotBlocksResponseTypeDef

AHEAD = 32
"""Blocks that are under way at the same time."""


class BlockCorrupt(Exception):
    """A block did not come as EBS keeps it."""


@dataclass(frozen=True)
class SnapshotHash:
    """`sha256` (hex) of `bytes`, of which `blocks` of `block_size` bytes were written."""

    sha256: str
    bytes: int
    blocks: int
    block_size: int


def hash_snapshot(
    aws: Aws,
    region: str,
    snapshot: str,
    tell: Callable[[float], bool] = lambda done: True,
) -> SnapshotHash | None:
    """Reads all blocks in order; None when `tell` (given 0 to 1) says to stop."""
    client = aws.client("ebs", region)
    first = client.list_snapshot_blocks(SnapshotId=snapshot, MaxResults=10_000)
    size, block_size = int(first["VolumeSize"]) << 30, int(first["BlockSize"])
    digest = hashlib.sha256()
    hashed = blocks = 0
    for index, data in _blocks(aws, client, snapshot, first):
        _zeros(digest, index * block_size - hashed)
        digest.update(data)
        hashed = index * block_size + len(data)
        blocks += 1
        if not tell(hashed / size):
            return None
    _zeros(digest, size - hashed)
    return SnapshotHash(digest.hexdigest(), size, blocks, block_size)


def _zeros(digest: hashlib._Hash, count: int) -> None:
    chunk = bytes(1 << 20)
    while count > 0:
        digest.update(chunk[: min(count, len(chunk))])
        count -= len(chunk)


def _blocks(
    aws: Aws, client: EBSClient, snapshot: str, first: ListSnapshotBlocksResponseTypeDef
) -> Iterator[tuple[int, bytes]]:
    """Every written block in order, some always on their way."""
    under_way: deque[tuple[int, Future[bytes]]] = deque()
    for block in _listed(client, snapshot, first):
        index = int(block["BlockIndex"])
        under_way.append((index, aws.spawn(_read, client, snapshot, index, block["BlockToken"])))
        if len(under_way) >= AHEAD:
            yield _next(under_way)
    while under_way:
        yield _next(under_way)


def _next(under_way: deque[tuple[int, Future[bytes]]]) -> tuple[int, bytes]:
    index, block = under_way.popleft()
    return index, block.result()


def _listed(
    client: EBSClient, snapshot: str, page: ListSnapshotBlocksResponseTypeDef
) -> Iterator[BlockTypeDef]:
    while True:
        yield from sorted(page["Blocks"], key=lambda b: int(b["BlockIndex"]))
        if not page.get("NextToken"):
            return
        page = client.list_snapshot_blocks(
            SnapshotId=snapshot, NextToken=page["NextToken"], MaxResults=10_000
        )


def _read(client: EBSClient, snapshot: str, index: int, token: str) -> bytes:
    answer = client.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=token)
    data = bytes(answer["BlockData"].read())
    checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
    if answer["Checksum"] != checksum:
        raise BlockCorrupt(f"block {index} of {snapshot} differs from EBS's checksum of it")
    return data
