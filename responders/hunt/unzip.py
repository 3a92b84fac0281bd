"""Gzip of bounded size: what a hostile object decompresses to must fit into memory."""

from __future__ import annotations

import zlib

GZIP = b"\x1f\x8b"


def decompressed(data: bytes, at_most: int) -> bytes:
    """The content; ValueError (or zlib.error) when it is larger than `at_most` bytes or cut off."""
    inflate = zlib.decompressobj(wbits=31)
    content = inflate.decompress(data, at_most)
    if not inflate.eof:
        raise ValueError("too large, or cut off")
    return content
