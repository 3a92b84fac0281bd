"""A trail as a source of events, read record by record: for where the `hunt` extra is missing.

Some twenty times slower than `responders.hunt.scan`, and each round of new credentials reads the
objects again from the day of the first of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from responders.aws import Aws, explain
from responders.hunt import unread
from responders.hunt.lead import Lead
from responders.hunt.object_text import UNREADABLE, content, reason, records
from responders.hunt.source import (
    LATE,
    Conclusion,
    NoSuchTrail,
    Page,
    Stored,
    TrailObjects,
    Window,
)

AT_ONCE = 8
"""Objects that are read at the same time, and held in memory."""
SLOW = (
    "the trail was read record by record; `pip install 'aws-cordon[hunt]'` reads it some twenty "
    "times as fast"
)


class PlainTrail:
    """The objects of one trail."""

    def __init__(self, aws: Aws, objects: TrailObjects) -> None:
        self.places = (objects.name,)
        self.trouble: dict[str, None] = {}
        """What could not be read, a line each: the object's key, and why."""
        self._aws, self._objects = aws, objects

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """Every record of the days in question, day by day, all regions of a day together.

        An object that can't be read is in `trouble`, and keeps no other from being read.
        """
        first, last = window.since(leads).date(), (window.end + LATE).date()
        pending: deque[tuple[Stored, Future[Page]]] = deque()
        stored = None
        for stored in self._objects.listed(first, last):
            if stored.trouble:
                self._miss(stored, stored.trouble)
            else:
                pending.append((stored, self._aws.spawn(self._records, stored.key)))
            if len(pending) >= AT_ONCE:
                yield self._page(*pending.popleft())
        while pending:
            yield self._page(*pending.popleft())
        if stored is None and leads[0].since is None:
            raise NoSuchTrail(f"it holds no object of {first} or later: nothing was read")

    def conclude(self, window: Window) -> Conclusion:
        """Which hours are missing, and that there is a faster way."""
        return Conclusion(unread.gaps(self.places[0], self.trouble), [SLOW])

    def _page(self, stored: Stored, answer: Future[Page]) -> Page:
        try:
            return answer.result()
        except UNREADABLE as error:
            self._miss(stored, reason(error))
        except Exception as error:  # one object that can't be had leaves all others to be read
            self._miss(stored, explain(error))
        return []

    def _miss(self, stored: Stored, why: str) -> None:
        self.trouble[f"{stored.key}: {why}"] = None  # each lead reads the objects again

    def _records(self, key: str) -> Page:
        return records(content(self._objects.fetch(key)))
