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


def sections(findings: Findings) -> list[Section]:
    """What people want to see first comes first; empty lists are left out."""
    cut = findings.cut
    lists = [
        _section("Credentials and principals followed", map(_followed, findings.followed)),
        _section("Created", map(_created, findings.created), cut.get("created", 0)),
        _section("Shared", map(_shared, findings.shared), cut.get("shared", 0)),
        _section(
            "Anti-forensics", map(_created, findings.anti_forensics), cut.get("anti_forensics", 0)
        ),
        _section("Destroyed", _events(findings, Kind.DESTROYED)),
        _section("Changed", _events(findings, Kind.CHANGED)),
        _section("Attempted", map(_tally, findings.attempted)),
        _section("Read", map(_tally, findings.reads)),
        _section("New by its own date, by whoever", map(_new, findings.without_trail)),
        _section("Not followed, look here", map(_look_here, findings.look_here)),
    ]
    return [section for section in lists if section.items]


def open_section(findings: Findings) -> Section:
    """What is still open, the worst first; it has no items when nothing is."""
    return _section("STILL OPEN, the worst first", map(_open, findings.open))


def _open(lead: OpenLead) -> Item:
    """One open lead; names, addresses and tags are what people know a thing by."""
    owned = f"{lead.owner}/{lead.id}" if lead.owner and lead.type else lead.id
    known_by = " ".join(filter(None, (lead.name, lead.address)))
    tags = ", ".join(f"{key}={value}" for key, value in lead.tags.items() if key != "Name")
    doubt = "" if lead.confidence == Confidence.CERTAIN else f" ({lead.confidence})"
    lines = [f"{lead.account}, since {lead.since}, by {lead.by}{doubt}"]
    lines += [f"tags: {tags}"] if tags else []
    return Item(
        (
            lead.severity,
            lead.kind,
            owned or "(its event does not tell)",
            known_by,
            lead.region,
            lead.state,
        ),
        (*lines, *_do(lead.command)),
    )


def _look_here(hint: LookHere) -> Item:
    return Item(
        (hint.time, hint.region, _call(hint.service, hint.name), hint.by),
        (hint.why, *_do(hint.command)),
    )


def _section(title: str, items: Iterable[Item], cut: int = 0) -> Section:
    listed = list(items)
    return Section(title, listed[:SHOWN], max(0, len(listed) - SHOWN) + cut)


def _followed(lead: Followed) -> Item:
    route = " → ".join(step.name for step in lead.through)
    last = lead.through[-1].time if lead.through else ""
    events = f"{lead.events} event{'' if lead.events == 1 else 's'}"
    doubt = "" if lead.is_certain else f" ({lead.confidence})"
    return Item(
        (f"{lead.kind} {lead.value}", last, events, f"through {route}{doubt}"), _do(lead.contain)
    )


def _there(resource: Created) -> str:
    if resource.exists is None:
        return "there? not known" if not resource.error else f"there? not known: {resource.error}"
    return f"{'there' if resource.exists else 'gone'} {resource.state}".strip()


def _created(resource: Created) -> Item:
    owned = (
        f"{resource.owner}/{resource.id}"
        if resource.owner
        else resource.id or "(its event does not tell)"
    )
    return Item(
        (resource.type, owned, resource.region, resource.time, _there(resource)),
        (f"{resource.name} by {resource.actor} ({resource.origin})", *_do(resource.contain)),
    )


def _shared(resource: Created) -> Item:
    now = resource.still_shared_with
    still = "not known" if now is None else " ".join(now) or "nobody"
    return Item(
        (
            resource.type,
            resource.id,
            resource.region,
            resource.time,
            f"with {' '.join(resource.shared_with)}",
        ),
        (
            f"now with {still}",
            f"{resource.name} by {resource.actor} ({resource.origin})",
            *_do(resource.contain),
        ),
    )


def _do(command: str) -> tuple[str, ...]:
    return (f"$ {command}",) if command else ()


def _events(findings: Findings, kind: Kind) -> list[Item]:
    return [
        Item((row.time, row.region, _call(row.service, row.name), " ".join(row.things)))
        for row in findings.events
        if row.kind == kind
    ]


def _tally(tally: Tally) -> Item:
    times = tally.first if tally.count == 1 else f"{tally.first} to {tally.last}"
    about = " ".join(tally.things)
    return Item(
        (
            f"{tally.count} x",
            _call(tally.service, tally.name),
            tally.error,
            " ".join(tally.regions),
            times,
        ),
        (about,) if about else (),
    )


def _new(item: New) -> Item:
    facts = " ".join(filter(None, (item.owner, item.state, item.note)))
    return Item((item.type, item.id, item.region, item.created, facts))


def _call(service: str, name: str) -> str:
    return f"{service.partition('.')[0]}:{name}"
