"""What a hunt follows: a subject, since when, and the event that brought it to light."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from responders.hunt.event import Event
from responders.hunt.subjects import Subject


class Confidence(StrEnum):
    """Whether a lead's events are the thief's: `POSSIBLE` when others may bear the same name."""

    CERTAIN = "certain"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Origin:
    """The event through which something came to be."""

    event: str
    name: str
    time: datetime
    region: str


@dataclass(frozen=True)
class Lead:
    """A subject, followed from `since` (UTC) to `until`; None: as far as the hunt goes.

    `number` counts leads in the order in which they were found; 0 is what was asked for. `origin`
    is None for that one. `expires` is when AWS ends a temporary credential by itself (as told), and
    `holder` the ARN of the user, role or session whose rights it has.
    """

    number: int
    subject: Subject
    since: datetime | None = None
    until: datetime | None = None
    origin: Origin | None = None
    expires: str = ""
    confidence: Confidence = Confidence.CERTAIN
    holder: str = ""

    @property
    def label(self) -> str:
        """One word or two for people, such as `key AKIAIOSFODNN7EXAMPLE`."""
        return f"{self.subject.kind} {self.subject.value}"

    @property
    def is_certain(self) -> bool:
        """Whether its events are the thief's for certain."""
        return self.confidence is Confidence.CERTAIN

    def claims(self, event: Event) -> bool:
        """Whether the event is the subject's, and of the time that counts."""
        if self.since is not None and event.time < self.since:
            return False
        if self.until is not None and event.time > self.until:
            return False
        return self.subject.claims(event)


def origin_of(event: Event) -> Origin:
    """The event as an origin."""
    return Origin(event.id, event.name, event.time, event.region)
