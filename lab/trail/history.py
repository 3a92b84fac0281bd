"""Keeps records, newest last, and finds them by one attribute, page by page."""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.trail.record import lookup_event

Position = tuple[float, int]
"""Where a record stands: its time (Unix seconds), then the order of arrival."""

EVERY = ("", "")
"""The attribute of a lookup without one."""


@dataclass(order=True)
class _Kept:
    position: Position
    event: dict[str, Any] = field(compare=False)


class History:
    """The events of one account in one region. Records may arrive in any order of time."""

    def __init__(self) -> None:
        self._by: dict[tuple[str, str], list[_Kept]] = defaultdict(list)
        self._order = itertools.count()

    def add(self, record: Mapping[str, Any]) -> None:
        """Keeps one record."""
        at = datetime.fromisoformat(record["eventTime"]).astimezone(UTC)
        event = lookup_event(record, at)
        entry = _Kept((at.timestamp(), next(self._order)), event)
        for attribute in {EVERY, *_attributes(event)}:
            bisect.insort(self._by[attribute], entry)

    def page(
        self,
        attribute: tuple[str, str],
        window: tuple[float, float],
        before: Position | None,
        size: int,
    ) -> tuple[list[dict[str, Any]], Position | None]:
        """Up to `size` events in the window, newest first, older than `before`.

        With them the position to go on from, None when nothing is left.
        """
        start, end = window
        entries_of_attribute = self._by.get(attribute, [])
        low = bisect.bisect_left(entries_of_attribute, _Kept((start, -1), {}))
        high = bisect.bisect_left(entries_of_attribute, _Kept(before or (end + 1e-6, -1), {}))
        first = max(low, high - size)
        entries = entries_of_attribute[first:high][::-1]
        return [k.event for k in entries], (entries[-1].position if first > low else None)

    def events(self) -> Iterator[dict[str, Any]]:
        """All events, the oldest first."""
        return iter([record.event for record in self._by.get(EVERY, [])])


def _attributes(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The lookup attributes by which an event is found (CloudTrail API, LookupAttribute)."""
    for name in ("EventId", "EventName", "ReadOnly", "EventSource", "AccessKeyId", "Username"):
        if name in event:
            yield name, event[name]
    for resource in event["Resources"]:
        yield "ResourceName", resource["ResourceName"]
        yield "ResourceType", resource["ResourceType"]
