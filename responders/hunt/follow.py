"""What an event gives out that can act by itself: keys, sessions, users, roles, machines.

Each rule names the service and the events it is for, and yields the subjects to follow from the
event's time on. Only calls that succeeded give anything out. Rules read both sides of an event:
what stands in one caller's request stands in another's answer (launch templates, defaults).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from responders.hunt.event import Event
from responders.hunt.lead import Confidence
from responders.hunt.subjects import Session, Subject


@dataclass(frozen=True)
class Given:
    """A subject that an event gave out.

    `until` bounds how long it is the event's doing. `confidence` says whether the subject's events
    from then on are the thief's, or may be. `holder` is the ARN whose rights a credential has.
    """

    subject: Subject
    until: datetime | None = None
    expires: str = ""
    confidence: Confidence = Confidence.CERTAIN
    holder: str = ""


@dataclass(frozen=True)
class Account:
    """What the rules must know: account, partition, and the ARN of a role or user by its name."""

    id: str
    partition: str
    arn_of: Callable[[str, str], str]
    """(`role` or `user`, name) to ARN; asks IAM, since names don't tell the path."""

    def role_arn(self, text: str) -> str:
        """A role's ARN, from an ARN or a plain name; empty for an empty text."""
        return text if not text or text.startswith("arn:") else self.arn_of("role", text)


Rule = Callable[[Event, Subject, Account], Iterator[Given]]
Rules = Mapping[tuple[str, str], tuple[Rule, ...]]
"""Rules by service and plain event name."""


def session_arn(role_arn: str, session: str) -> str:
    """ARN of a role's session: it bears the role's name without its path. Empty when none is."""
    parts = role_arn.split(":", 5)
    if len(parts) != 6 or not session:
        return ""
    name = parts[5].rpartition("/")[2]
    return f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{name}/{session}"


def sessions_of(
    role_arn: str, session: str, confidence: Confidence = Confidence.CERTAIN
) -> Iterator[Given]:
    """The sessions of one name of a role; none when the event does not name the role."""
    if arn := session_arn(role_arn, session):
        yield Given(Session(arn), confidence=confidence)
