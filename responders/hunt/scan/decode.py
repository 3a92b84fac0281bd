"""Objects of a trail to one Parquet part. Runs in worker processes.

A row has the members that questions ask about and the whole record as it was delivered (`raw`). The
hunt reads the record again from that, so a row only has to be found. A record whose members are of
other types than CloudTrail writes is kept as `odd`, and every question takes it in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from responders.hunt.object_text import UNREADABLE, content, reason
from responders.hunt.object_text import records as leniently

ROWS_IN_MEMORY = 5_000
"""Rows of one row group: with records of 1.3 KB some 7 MB before compression."""

SCHEMA = pa.schema(
    [
        ("eventid", pa.string()),
        ("eventtime", pa.string()),
        ("eventname", pa.string()),
        ("eventsource", pa.string()),
        ("awsregion", pa.string()),
        ("errorcode", pa.string()),
        ("recipientaccountid", pa.string()),
        ("sourceipaddress", pa.string()),
        ("useragent", pa.string()),
        ("readonly", pa.string()),
        (
            "useridentity",
            pa.struct(
                [
                    ("type", pa.string()),
                    ("arn", pa.string()),
                    ("accesskeyid", pa.string()),
                    ("username", pa.string()),
                    ("principalid", pa.string()),
                ]
            ),
        ),
        ("requestparameters", pa.string()),
        ("odd", pa.bool_()),
        ("raw", pa.binary()),
    ]
)
"""Names and types as in the table that Athena has over the same objects (CloudTrail user guide,
"Create a table for CloudTrail logs in Athena"), so that one SQL text serves both."""
_UNLIKE = ("eventid", "eventtime", "requestparameters", "odd", "raw")
_REPEATED = [name for name in SCHEMA.names if name not in _UNLIKE]
"""Columns whose values recur: a dictionary makes them small and quick to compare."""


class _Identity(msgspec.Struct, gc=False):
    type: str | None = None
    arn: str | None = None
    accessKeyId: str | None = None
    userName: str | None = None
    principalId: str | None = None


class _Record(msgspec.Struct, gc=False):
    eventID: str | None = None
    eventTime: str | None = None
    eventName: str | None = None
    eventSource: str | None = None
    awsRegion: str | None = None
    errorCode: str | None = None
    recipientAccountId: str | None = None
    sourceIPAddress: str | None = None
    userAgent: str | None = None
    readOnly: bool | str | None = None
    userIdentity: _Identity | None = None
    requestParameters: msgspec.Raw = msgspec.Raw(b"")


class _Object(msgspec.Struct):
    Records: list[msgspec.Raw]


FOOTER = "cordon.trail"
"""Name of the part's own metadata."""
_OBJECT = msgspec.json.Decoder(_Object)
_RECORD = msgspec.json.Decoder(_Record)
_NOBODY = _Identity()


@dataclass(frozen=True)
class Fetched:
    """One object of a trail. `etag` tells its versions apart; `data` is as it is stored."""

    key: str
    etag: str
    data: bytes


@dataclass(frozen=True)
class Decoded:
    """What became of one object: how many records it has, or why it could not be read.

    `sha256` (hex) is of the decompressed content, as CloudTrail's digest files have it.
    """

    key: str
    etag: str
    sha256: str = ""
    records: int = 0
    trouble: str = ""


@dataclass(frozen=True)
class Footer:
    """What stands at the end of a part: the trail, and the objects whose records the part holds."""

    trail: str
    objects: list[Decoded]


def write_part(objects: Sequence[Fetched], path: str, trail: str) -> list[Decoded]:
    """Decodes objects into one Parquet file at `path`, and says what became of each.

    `trail` is the name of the trail that they are of. An object that is not readable gives no rows
    and does not keep the others from being read. OSError when the file can't be written.
    """
    decoded: list[Decoded] = []
    # Statistics of columns would be written for each row group and read by nothing.
    with pq.ParquetWriter(
        path,
        SCHEMA,
        compression="zstd",
        compression_level=1,
        use_dictionary=_REPEATED,
        write_statistics=False,
    ) as writer:
        for item in objects:
            sha256 = ""
            try:
                text = content(item.data)
                sha256 = hashlib.sha256(text).hexdigest()
                records = _records(text)
            except UNREADABLE as error:
                decoded.append(Decoded(item.key, item.etag, sha256, 0, reason(error)))
                continue
            for begin in range(0, len(records), ROWS_IN_MEMORY):
                _write(writer, records[begin : begin + ROWS_IN_MEMORY])
            decoded.append(Decoded(item.key, item.etag, sha256, len(records)))
        footer = msgspec.json.encode(Footer(trail, decoded))
        writer.add_key_value_metadata({FOOTER: footer.decode()})
    return decoded


def footer_of(path: str) -> Footer:
    """What a part says of itself; ValueError when it is no part of a trail."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return msgspec.json.decode(metadata[FOOTER.encode()], type=Footer)
    except (KeyError, OSError, pa.ArrowException, msgspec.MsgspecError) as error:
        raise ValueError(f"{path} is not a part of a trail: {error}") from error


def _records(text: bytes) -> list[msgspec.Raw]:
    """The records of an object, each as it was delivered; ValueError when it holds none."""
    try:
        return _OBJECT.decode(text).Records
    except (msgspec.MsgspecError, RecursionError):
        return [msgspec.Raw(json.dumps(record).encode()) for record in leniently(text)]


def _write(writer: pq.ParquetWriter, records: Sequence[msgspec.Raw]) -> None:
    rows = list(_rows(records))
    columns = [pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), SCHEMA, strict=True)]
    writer.write_table(pa.table(columns, schema=SCHEMA))


def _rows(records: Sequence[msgspec.Raw]) -> Iterator[tuple[Any, ...]]:
    for raw in records:
        try:
            record, odd = _RECORD.decode(raw), False
            request = _request(record)
        except (ValueError, RecursionError):  # MsgspecError is a ValueError
            record, odd, request = _Record(), True, None
        identity = record.userIdentity or _NOBODY
        yield (
            record.eventID,
            record.eventTime,
            record.eventName,
            record.eventSource,
            record.awsRegion,
            record.errorCode,
            record.recipientAccountId,
            record.sourceIPAddress,
            record.userAgent,
            "true" if record.readOnly in (True, "true") else "false",
            {
                "type": identity.type,
                "arn": identity.arn,
                "accesskeyid": identity.accessKeyId,
                "username": identity.userName,
                "principalid": identity.principalId,
            },
            request,
            odd,
            bytes(raw),
        )


def _request(record: _Record) -> str | None:
    """The request of a call that is about a role: no question asks for any other."""
    request = bytes(record.requestParameters)
    return request.decode() if b'"roleArn"' in request else None
