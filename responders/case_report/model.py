"""The values that a report shows: texts as the record has them, times in UTC.

Names, tags and texts may have been written by an attacker: they are kept as they are here, and made
harmless where they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from responders.json_values import JsonObject
from responders.record.journal import Entry

MOST_MOMENTS = 400
"""Rows of the timeline; the record has the rest."""


@dataclass(frozen=True)
class Moment:
    """One row of the timeline. `source`: `response` for what was done, `hunt` for an event."""

    at: str
    source: str
    event: str
    detail: str = ""


@dataclass(frozen=True)
class Interface:
    """The security groups of one network interface, as `id (name)`, before and after."""

    id: str
    addresses: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    before_rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that the case took, with how it is locked and where its copy is."""

    id: str
    volume: str
    lock: str = ""
    copy: str = ""


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence. `verified`: whether its bytes have the hash that the journal holds."""

    name: str
    saved: str
    size: int
    sha256: str
    verified: str


@dataclass(frozen=True)
class Target:
    """What one target of the case went through. Times are UTC, durations seconds."""

    command: str
    id: str
    account: str
    region: str
    state: str
    """`contained`, `released`, `not contained`, or the outcome of the last run."""
    began: str
    contained_after: float | None
    released: str
    facts: Sequence[tuple[str, str]] = ()
    """Label and value of what is known of it, such as its name, image and age."""
    interfaces: Sequence[Interface] = ()
    snapshots: Sequence[Snapshot] = ()
    not_restored: Sequence[str] = ()
    """What release left as it is because somebody else changed it since."""
    risks: Sequence[str] = ()


@dataclass(frozen=True)
class RunFacts:
    """One run, for the chain of custody."""

    name: str
    command: str
    target: str
    began: str
    outcome: str
    caller: str
    responder: str
    host: str
    version: str
    options: Sequence[tuple[str, str]]
    """Options that differ from the default."""
    steps: Sequence[tuple[str, str, str]]
    """Step, status, and reason or notes."""
    entries: Sequence[Entry] = ()


@dataclass(frozen=True)
class CaseFacts:
    """All that a report shows. `faults` is empty when the record on this machine verifies."""

    case: str
    written: str
    summary: str
    state: str
    targets: Sequence[Target] = ()
    timeline: Sequence[Moment] = ()
    moments_left_out: int = 0
    hunts: Sequence[JsonObject] = ()
    """Findings of each hunt, as `cordon hunt --json` prints them."""
    still_open: Sequence[JsonObject] = ()
    evidence: Sequence[Evidence] = ()
    risks: Sequence[str] = ()
    incomplete: Sequence[str] = ()
    runs: Sequence[RunFacts] = field(default_factory=tuple)
    faults: Sequence[str] = ()
