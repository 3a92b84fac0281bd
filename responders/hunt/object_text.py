"""The text of an object of a trail, and its records: bounded, and with one word for each failure.

An attacker may have written an object, so that whatever it holds must neither end the hunt nor
exhaust the memory of the machine.
"""

from __future__ import annotations

import json
import zlib

from responders.json_values import Json

GZIP = b"\x1f\x8b"
MOST_BYTES = 256 * 1024 * 1024
"""Bytes of one object once it is decompressed. CloudTrail's are much smaller; a larger one is not
read."""
UNREADABLE = (ValueError, RecursionError, zlib.error)
"""What `content` and `records` raise for an object that is none of a trail's."""


def content(data: bytes, at_most: int = MOST_BYTES) -> bytes:
    """An object's text, whether it is compressed or not (exports and copies are not)."""
    text = decompressed(data, at_most) if data.startswith(GZIP) else data
    if len(text) > at_most:
        raise ValueError("too large")
    return text


def decompressed(data: bytes, at_most: int) -> bytes:
    """The content of all members of a gzip file, as `gzip` joins them.

    ValueError when it is larger than `at_most` bytes or cut off, `zlib.error` when it is damaged.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        inflate = zlib.decompressobj(wbits=31)
        # One byte more than is left, so that a limit of 0 (which means none) is never asked for.
        parts.append(inflate.decompress(data, at_most - size + 1))
        size += len(parts[-1])
        if not inflate.eof or size > at_most:
            raise ValueError("too large, or cut off")
        data = inflate.unused_data
        if not data.startswith(GZIP):  # zeros may pad the last member
            return parts[0] if len(parts) == 1 else b"".join(parts)


def records(text: bytes) -> list[Json]:
    """The records of an object, by Python's own parser; ValueError when it holds no list of them.

    The parser takes what is not quite JSON, such as half a surrogate pair: a record that an
    attacker shaped so must not hide the others of its object.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("Records"), list):
        raise ValueError("no list of records")
    return list(document["Records"])


def reason(error: BaseException) -> str:
    """Why an object is not readable, without what differs from object to object."""
    match error:
        case json.JSONDecodeError() | UnicodeDecodeError():
            told = "it is not JSON"
        case zlib.error():
            told = "its compression is damaged"
        case RecursionError():
            told = "it is nested too deeply"
        case _:
            told = str(error)
    return f"not readable: {told}"
