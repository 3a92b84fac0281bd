"""Findings as tables for people, and every event as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from responders.hunt.findings import Created, Findings, Followed
from responders.hunt.index import Row, Tally

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
"""Rows of one table for people; the JSON document and the CSV file have the rest."""


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
class Section:
    """One table. `more` is how many rows it lacks."""

    title: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    more: int = 0


def sections(found: Findings) -> list[Section]:
    """What people want to see first comes first; empty tables are left out."""
    tables = [
        _section("Followed", ("what", "depth", "events", "through", "contain with"),
                 [_followed(one) for one in found.followed]),
        _section("Created", CREATED, [_created(one) for one in found.created],
                 found.cut.get("created", 0)),
        _section("Shared", SHARED, [_shared(one) for one in found.shared],
                 found.cut.get("shared", 0)),
        _section("Anti-forensics", CREATED, [_created(one) for one in found.anti_forensics],
                 found.cut.get("anti_forensics", 0)),
        _section("Destroyed and changed", EVENTS, _events(found, ("destroyed", "changed"))),
        _section("Attempted", TALLY, [_tally(one) for one in found.attempted]),
        _section("Read", TALLY, [_tally(one) for one in found.reads]),
        _section("New by its own date, by whoever", NEW, [
            (n.type, n.id, n.region, n.created, " ".join(filter(None, (n.owner, n.state, n.note))))
            for n in found.without_trail
        ]),
    ]  # fmt: skip
    return [table for table in tables if table.rows]


CREATED = ("type", "id", "region", "time", "there now", "by", "contain or remove with")
SHARED = ("type", "id", "region", "time", "with", "still", "by", "end it with")
EVENTS = ("time", "region", "event", "things", "by")
TALLY = ("event", "error", "count", "regions", "first", "last", "such as")
NEW = ("type", "id", "region", "created", "")


def _section(
    title: str, headers: tuple[str, ...], rows: Sequence[tuple[str, ...]], cut: int = 0
) -> Section:
    return Section(title, headers, rows[:SHOWN], max(0, len(rows) - SHOWN) + cut)


def _followed(one: Followed) -> tuple[str, ...]:
    through = " → ".join(step.name for step in one.through)
    return (f"{one.kind} {one.value}", str(one.depth), str(one.events), through, one.contain)


def _there(one: Created) -> str:
    if one.exists is None:
        return "not known" if not one.error else f"not known: {one.error}"
    return f"{'yes' if one.exists else 'no'} {one.state}".strip()


def _created(one: Created) -> tuple[str, ...]:
    owned = f"{one.owner}/{one.id}" if one.owner else one.id
    return (one.type, owned, one.region, one.time, _there(one), one.origin, one.contain)


def _shared(one: Created) -> tuple[str, ...]:
    now = one.still_shared_with
    still = "not known" if now is None else " ".join(now) or "no"
    to = " ".join(one.shared_with)
    return (one.type, one.id, one.region, one.time, to, still, one.origin, one.contain)


def _events(found: Findings, kinds: Sequence[str]) -> list[tuple[str, ...]]:
    return [
        (
            row.time,
            row.region,
            f"{row.service.partition('.')[0]}:{row.name}",
            " ".join(row.things),
            found.labels.get(row.lead, ""),
        )
        for row in found.events
        if row.kind in kinds
    ]


def _tally(one: Tally) -> tuple[str, ...]:
    return (
        f"{one.service.partition('.')[0]}:{one.name}",
        one.error,
        str(one.count),
        " ".join(one.regions),
        one.first,
        one.last,
        " ".join(one.things),
    )
