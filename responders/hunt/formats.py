"""Findings as lists for people, and every event as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from responders.hunt.findings import Created, Findings, Followed
from responders.hunt.index import Row, Tally
from responders.hunt.lead import Confidence
from responders.hunt.look_here import LookHere
from responders.hunt.open_lead import OpenLead
from responders.hunt.table import Kind
from responders.hunt.without_trail import New

COLUMNS = (
    "time",
    "region",
    "kind",
    "service",
    "name",
    "error",
    "things",
    "shared_with",
    "actor",
    "key",
    "invoked_by",
    "ip",
    "agent",
    "origin",
    "event",
)
SHOWN = 50
"""Entries of one list for people; the JSON document and the CSV file have the rest."""


def write_csv(file: TextIO, rows: Iterable[Row], labels: Mapping[int, str]) -> None:
    """Every event as one line, in the order of time; several things are separated by spaces."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = (
            row.time,
            row.region,
            row.kind,
            row.service,
            row.name,
            row.error,
            " ".join(row.things),
            " ".join(row.shared_with),
            row.actor,
            row.key,
            row.invoked_by,
            row.ip,
            row.agent,
            labels.get(row.lead, ""),
            row.id,
        )
        writer.writerow([harmless(cell) for cell in cells])


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, and that moves no terminal's cursor.

    A leading apostrophe is what spreadsheets read as «text» (OWASP, "CSV Injection").
    """
    printable = "".join(c if c.isprintable() else " " for c in cell)
    return f"'{printable}" if printable.lstrip()[:1] in ("=", "+", "-", "@") else printable


@dataclass(frozen=True)
class Item:
    """One entry of a section: cells that stand in columns, and lines below them."""

    cells: tuple[str, ...]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One list for people. `more` is how many entries it lacks."""

    title: str
    items: Sequence[Item]
    more: int = 0


def sections(found: Findings) -> list[Section]:
    """What people want to see first comes first; empty lists are left out."""
    cut = found.cut
    lists = [
        _section("Credentials and principals followed", map(_followed, found.followed)),
        _section("Created", map(_created, found.created), cut.get("created", 0)),
        _section("Shared", map(_shared, found.shared), cut.get("shared", 0)),
        _section(
            "Anti-forensics", map(_created, found.anti_forensics), cut.get("anti_forensics", 0)
        ),
        _section("Destroyed", _events(found, Kind.DESTROYED)),
        _section("Changed", _events(found, Kind.CHANGED)),
        _section("Attempted", map(_tally, found.attempted)),
        _section("Read", map(_tally, found.reads)),
        _section("New by its own date, by whoever", map(_new, found.without_trail)),
        _section("Not followed, look here", map(_look_here, found.look_here)),
    ]
    return [one for one in lists if one.items]


def open_section(found: Findings) -> Section:
    """What is still open, the worst first; it has no items when nothing is."""
    return _section("STILL OPEN, the worst first", map(_open, found.open))


def _open(one: OpenLead) -> Item:
    """One open lead; names, addresses and tags are what people know a thing by."""
    owned = f"{one.owner}/{one.id}" if one.owner and one.type else one.id
    known_by = " ".join(filter(None, (one.name, one.address)))
    tags = ", ".join(f"{key}={value}" for key, value in one.tags.items() if key != "Name")
    doubt = "" if one.confidence == Confidence.CERTAIN else f" ({one.confidence})"
    lines = [f"{one.account}, since {one.since}, by {one.by}{doubt}"]
    lines += [f"tags: {tags}"] if tags else []
    return Item(
        (
            one.severity,
            one.kind,
            owned or "(its event does not tell)",
            known_by,
            one.region,
            one.state,
        ),
        (*lines, *_do(one.command)),
    )


def _look_here(one: LookHere) -> Item:
    return Item(
        (one.time, one.region, _call(one.service, one.name), one.by), (one.why, *_do(one.command))
    )


def _section(title: str, items: Iterable[Item], cut: int = 0) -> Section:
    listed = list(items)
    return Section(title, listed[:SHOWN], max(0, len(listed) - SHOWN) + cut)


def _followed(one: Followed) -> Item:
    way = " → ".join(step.name for step in one.through)
    last = one.through[-1].time if one.through else ""
    events = f"{one.events} event{'' if one.events == 1 else 's'}"
    doubt = "" if one.is_certain else f" ({one.confidence})"
    return Item(
        (f"{one.kind} {one.value}", last, events, f"through {way}{doubt}"), _do(one.contain)
    )


def _there(one: Created) -> str:
    if one.exists is None:
        return "there? not known" if not one.error else f"there? not known: {one.error}"
    return f"{'there' if one.exists else 'gone'} {one.state}".strip()


def _created(one: Created) -> Item:
    owned = f"{one.owner}/{one.id}" if one.owner else one.id or "(its event does not tell)"
    return Item(
        (one.type, owned, one.region, one.time, _there(one)),
        (f"{one.name} by {one.actor} ({one.origin})", *_do(one.contain)),
    )


def _shared(one: Created) -> Item:
    now = one.still_shared_with
    still = "not known" if now is None else " ".join(now) or "nobody"
    return Item(
        (one.type, one.id, one.region, one.time, f"with {' '.join(one.shared_with)}"),
        (f"now with {still}", f"{one.name} by {one.actor} ({one.origin})", *_do(one.contain)),
    )


def _do(command: str) -> tuple[str, ...]:
    return (f"$ {command}",) if command else ()


def _events(found: Findings, kind: Kind) -> list[Item]:
    return [
        Item((row.time, row.region, _call(row.service, row.name), " ".join(row.things)))
        for row in found.events
        if row.kind == kind
    ]


def _tally(one: Tally) -> Item:
    times = one.first if one.count == 1 else f"{one.first} to {one.last}"
    about = " ".join(one.things)
    return Item(
        (f"{one.count} x", _call(one.service, one.name), one.error, " ".join(one.regions), times),
        (about,) if about else (),
    )


def _new(one: New) -> Item:
    told = " ".join(filter(None, (one.owner, one.state, one.note)))
    return Item((one.type, one.id, one.region, one.created, told))


def _call(service: str, name: str) -> str:
    return f"{service.partition('.')[0]}:{name}"
