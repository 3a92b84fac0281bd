"""What a hunt found, as the JSON document shows it, and whether it is all there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from responders.hunt.index import Row, Tally
from responders.hunt.lead import Confidence
from responders.hunt.look_here import LookHere
from responders.hunt.open_lead import OpenLead
from responders.hunt.techniques import techniques_of
from responders.hunt.without_trail import New
from responders.json_values import JsonObject

LISTED = 10_000
"""Entries of each list in the findings; the rest is counted, and is in the CSV file and the raw
events."""


@dataclass(frozen=True)
class Through:
    """One event on the way from what was asked for to something that it led to."""

    event: str
    name: str
    time: str
    region: str
    by: str
    """The lead whose event it was, such as `key AKIAIOSFODNN7EXAMPLE`."""


@dataclass(frozen=True)
class Followed:
    """A credential or principal that was followed. `through` leads to it, the nearest last."""

    kind: str
    value: str
    depth: int
    through: tuple[Through, ...]
    events: int
    expires: str = ""
    """When a temporary credential ends by itself, as AWS wrote it."""
    contain: str = ""
    """The command that contains it."""
    confidence: str = Confidence.CERTAIN.value
    """`possible` when its events may be somebody else's."""
    holder: str = ""
    """ARN of the user, role or session whose rights a temporary credential has."""

    @property
    def is_certain(self) -> bool:
        """Whether its events are the thief's for certain."""
        return self.confidence == Confidence.CERTAIN


@dataclass(frozen=True)
class Created:
    """Something that was created, or shared. `exists` is None where it could not be told."""

    type: str
    id: str
    owner: str
    region: str
    time: str
    event: str
    service: str
    name: str
    actor: str
    """ARN of the caller, or a name where the event has no ARN."""
    origin: str
    """The lead whose event it was."""
    through: tuple[Through, ...]
    exists: bool | None = None
    state: str = ""
    error: str = ""
    contain: str = ""
    shared_with: tuple[str, ...] = ()
    still_shared_with: tuple[str, ...] | None = None
    label: str = ""
    """The name that its `Name` tag gives it."""
    address: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    """Security groups of a machine's interfaces."""
    confidence: str = Confidence.CERTAIN.value


@dataclass(frozen=True)
class Findings:
    """All that a hunt found. Lists are in the order of time and hold at most `LISTED` entries."""

    subject: str
    account: str
    start: str
    end: str
    regions: Mapping[str, str]
    """Region to `ok`, or to what went wrong."""
    sources: Mapping[str, str]
    """The same for a trail's objects and for CloudTrail Lake."""
    counts: Mapping[str, int]
    first: str
    last: str
    events: Sequence[Row]
    """Every event but reads, which `reads` sums up."""
    labels: Mapping[int, str]
    created: Sequence[Created]
    shared: Sequence[Created]
    anti_forensics: Sequence[Created]
    attempted: Sequence[Tally]
    reads: Sequence[Tally]
    followed: Sequence[Followed]
    open: Sequence[OpenLead] = ()
    """What is still open, the worst first."""
    look_here: Sequence[LookHere] = ()
    """What was not followed, and where to look instead."""
    without_trail: Sequence[New] = ()
    """What is new by its own date, and not among `created`."""
    notes: Sequence[str] = ()
    gaps: Sequence[str] = ()
    """What could not be done, a line each; empty: the hunt is complete."""
    interrupted: bool = False
    raw_files: int = 0
    cut: Mapping[str, int] = field(default_factory=dict)
    """How many entries a list lacks, by its name."""

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.gaps and not self.interrupted

    @property
    def acting(self) -> list[OpenLead]:
        """What is still open and can do harm by itself, until somebody contains it."""
        return [lead for lead in self.open if lead.acts]

    @property
    def found(self) -> bool:
        """Whether there is anything."""
        return any(self.counts.values()) or bool(self.without_trail)

    def as_json(self) -> JsonObject:
        """Members for the JSON document."""
        keys = [_followed(entry) for entry in self.followed if entry.kind == "key"]
        principals = [_followed(entry) for entry in self.followed if entry.kind != "key"]
        return {
            "subject": self.subject,
            "window": {"start": self.start, "end": self.end},
            "complete": self.complete,
            "open": [entry.as_json() for entry in self.open],
            "look_here": [entry.as_json() for entry in self.look_here],
            "gaps": list(self.gaps),
            "regions": dict(self.regions),
            "sources": dict(self.sources),
            "counts": dict(self.counts),
            "first_event": self.first or None,
            "last_event": self.last or None,
            "events": [event_json(row, self.labels) for row in self.events],
            "created": [_created(entry) for entry in self.created],
            "shared": [_created(entry) for entry in self.shared],
            "anti_forensics": [_created(entry) for entry in self.anti_forensics],
            "attempted": [_tally(entry) for entry in self.attempted],
            "reads": [_tally(entry) for entry in self.reads],
            "followed_keys": keys,
            "followed_principals": principals,
            "without_trail": [asdict(entry) for entry in self.without_trail],
            "notes": list(self.notes),
            "not_listed": {name: count for name, count in self.cut.items() if count},
            "raw_event_files": self.raw_files,
        }


def event_json(row: Row, labels: Mapping[int, str]) -> JsonObject:
    """One event; `labels` names the leads."""
    return {
        "id": row.id,
        "time": row.time,
        "region": row.region,
        "kind": row.kind,
        "service": row.service,
        "name": row.name,
        "error": row.error or None,
        "things": list(row.things),
        "shared_with": list(row.shared_with),
        "key": row.key or None,
        "actor": row.actor or None,
        "invoked_by": row.invoked_by or None,
        "ip": row.ip or None,
        "agent": row.agent or None,
        "origin": labels.get(row.lead, ""),
        "techniques": list(techniques_of(row.service, row.name)),
    }


def _followed(lead: Followed) -> JsonObject:
    return {
        "kind": lead.kind,
        "value": lead.value,
        "depth": lead.depth,
        "through": [asdict(step) for step in lead.through],
        "events": lead.events,
        "expires": lead.expires or None,
        "contain": lead.contain or None,
        "confidence": lead.confidence,
        "holder": lead.holder or None,
    }


def _created(resource: Created) -> JsonObject:
    members = asdict(resource)
    for name in ("owner", "state", "error", "contain", "label", "address"):
        members[name] = members[name] or None
    if not resource.shared_with:
        del members["shared_with"], members["still_shared_with"]
    return members | {"techniques": list(techniques_of(resource.service, resource.name))}


def _tally(tally: Tally) -> JsonObject:
    return {
        "service": tally.service,
        "name": tally.name,
        "error": tally.error or None,
        "count": tally.count,
        "regions": list(tally.regions),
        "first": tally.first,
        "last": tally.last,
        "things": list(tally.things),
        "techniques": list(techniques_of(tally.service, tally.name)),
    }
