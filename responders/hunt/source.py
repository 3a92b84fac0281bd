"""What a source of CloudTrail events offers: event history, a trail's objects, a table of events.

A source has places that are searched at the same time: regions, or one for the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from responders.hunt.lead import Lead
from responders.json_values import Json

Page = Sequence[Json]
"""Records as CloudTrail wrote them; what is no record is told by the hunt, not by the source."""

LATE = timedelta(days=1)
"""How much later than an event its object may be delivered, by the day in the object's name."""


@dataclass(frozen=True)
class Window:
    """The time that is searched, UTC, both ends included."""

    start: datetime
    end: datetime

    def since(self, leads: Sequence[Lead]) -> datetime:
        """The earliest time that counts for some of these leads."""
        return max(self.start, min(lead.since or self.start for lead in leads))


@dataclass(frozen=True)
class Stored:
    """An object of a trail as it is listed. `trouble`: why it can't be read, or the empty string.

    `etag` tells the versions of an object apart; `size` in bytes, as it is stored.
    """

    key: str
    etag: str
    size: int
    trouble: str = ""


@dataclass(frozen=True)
class Conclusion:
    """What a source has to say once everything was searched, a line each.

    `gaps`: what is missing, which makes the hunt incomplete. `notes`: what is good to know.
    """

    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class NoSuchTrail(Exception):
    """There are no objects of this account where they should be."""


class TrailObjects(Protocol):
    """Lists and fetches the objects of a trail: in S3, or in a folder."""

    @property
    def name(self) -> str:
        """What the trail is called in reports, `trail s3://bucket/prefix` or `trail /folder`."""

    def listed(self, first: date, last: date) -> Iterator[Stored]:
        """The objects that were delivered in these days, both included.

        NoSuchTrail when there is none of the account at all; raises when they can't be listed.
        """

    def fetch(self, key: str) -> bytes:
        """The bytes of an object; raises when it can't be had."""


class EventSource(Protocol):
    """Finds events of leads."""

    @property
    def places(self) -> tuple[str, ...]:
        """What is searched at the same time, by name."""

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """Pages with every event of the leads in the window; events of others do no harm.

        Raises when a page can't be had: what came before still counts.
        """

    def conclude(self, window: Window) -> Conclusion:
        """What is to be said about the search of the window; never raises."""
