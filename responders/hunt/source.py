"""What a source of CloudTrail events offers. Event history, a trail's objects and Lake are three.

A source has places that are searched at the same time: regions, or one for the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from responders.hunt.lead import Lead

Page = Sequence[Any]
"""Records as CloudTrail wrote them; what is no record is told by the hunt, not by the source."""


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


class EventSource(Protocol):
    """Finds events of leads."""

    @property
    def places(self) -> tuple[str, ...]:
        """What is searched at the same time, by name."""

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        """Pages with every event of the leads in the window; events of others do no harm.

        Raises when a page can't be had: what came before still counts.
        """
