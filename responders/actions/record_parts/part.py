"""What a part of a record is, and how API answers are written down."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

from responders.action import Incident
from responders.record.journal import canonical, utc
from responders.scene import Scene

Part = Callable[[Incident[Scene]], bytes]
"""Reads one thing and gives it as bytes; raises `Absent` when there is nothing to read."""


class Absent(Exception):
    """There is no such thing here; the text says why, and is kept in its place."""


def as_json(answer: object) -> bytes:
    """An API answer as canonical JSON: times in UTC, bytes in base64, no response metadata."""
    return canonical(_plain(answer))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return utc(value) if isinstance(value, datetime) else value
