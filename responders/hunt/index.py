"""Every event of a hunt, on disk: found once, sorted and counted in bounded memory.

A SQLite file in a folder of its own, gone with the hunt; the evidence is the raw events, which
`responders.hunt.evidence` keeps. About 600 bytes an event on disk, and `CACHE_KIB` in memory.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from responders.hunt.classify import Deed
from responders.hunt.event import Event
from responders.hunt.lead import Lead
from responders.hunt.table import Kind
from responders.record.journal import utc

CACHE_KIB = 16_384
"""KiB that SQLite may keep in memory."""
EXAMPLES = 5

_TABLES = """
CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE events (
  id TEXT, time TEXT, region TEXT, kind TEXT, service TEXT, name TEXT, error TEXT, key TEXT,
  actor TEXT, invoked_by TEXT, ip TEXT, agent TEXT, shared_with TEXT, lead INTEGER);
CREATE TABLE things (
  event TEXT, type TEXT, thing TEXT, owner TEXT, region TEXT, time TEXT, kind TEXT);
"""


@dataclass(frozen=True)
class Row:
    """One event as it is listed. `things` are texts such as `i-0abc` or `alice/AKIA…`.

    `shared_with`: accounts or principals; `lead`: the number of the lead whose event it is.
    """

    id: str
    time: str
    region: str
    kind: str
    service: str
    name: str
    error: str
    key: str
    actor: str
    invoked_by: str
    ip: str
    agent: str
    shared_with: tuple[str, ...]
    lead: int
    things: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """Events that are alike, counted; times are the first and the last."""

    service: str
    name: str
    error: str
    regions: tuple[str, ...]
    count: int
    first: str
    last: str
    things: tuple[str, ...]
    """Up to `EXAMPLES` of what they were about."""


@dataclass(frozen=True)
class Found:
    """A thing that an event is about, and the number of the lead whose event it is."""

    event: str
    service: str
    name: str
    type: str
    id: str
    owner: str
    region: str
    time: str
    actor: str
    shared_with: tuple[str, ...]
    lead: int


class Index:
    """Safe to use from several threads; closes its file with `close`."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            folder / "events.sqlite", check_same_thread=False, isolation_level=None
        )
        self._db.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE;"
            f"PRAGMA cache_size=-{CACHE_KIB};{_TABLES}BEGIN;"
        )

    def close(self) -> None:
        """No use after this."""
        with self._lock:
            self._db.close()

    def add(self, event: Event, deed: Deed, lead: Lead) -> bool:
        """Keeps an event; False when it is there already (events are told apart by their id)."""
        mark = blake2b(event.id.encode(), digest_size=16).digest()
        when = utc(event.time)
        with self._lock:
            if not self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (mark,)).rowcount:
                return False
            self._db.execute(
                "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    event.id,
                    when,
                    event.region,
                    deed.kind.value,
                    event.source,
                    event.name,
                    event.error,
                    event.key,
                    event.arn or event.username,
                    event.invoked_by,
                    event.ip,
                    event.agent,
                    json.dumps(deed.to) if deed.to else "[]",
                    lead.number,
                ),
            )
            if deed.things:
                self._db.executemany(
                    "INSERT INTO things VALUES (?,?,?,?,?,?,?)",
                    [
                        (event.id, t.type, t.id, t.owner, event.region, when, deed.kind.value)
                        for t in deed.things
                    ],
                )
        return True

    def attribute(self, leads: Iterable[Lead]) -> None:
        """Gives every event that a followed key signed to that key's lead.

        Which of several leads met an event first depends on the order of answers; this does not.
        """
        keys = [(lead.subject.value, lead.number) for lead in leads if lead.subject.kind == "key"]
        with self._lock:
            self._db.execute("CREATE TEMP TABLE lead_keys (key TEXT PRIMARY KEY, lead INTEGER)")
            self._db.executemany("INSERT INTO lead_keys VALUES (?,?)", keys)
            self._db.execute(
                "UPDATE events SET lead = (SELECT k.lead FROM lead_keys k WHERE k.key = events.key)"
                " WHERE key IN (SELECT key FROM lead_keys)"
            )
            self._db.execute("CREATE INDEX events_id ON events (id)")
            self._db.execute("CREATE INDEX things_event ON things (event)")
            self._db.execute("CREATE INDEX things_thing ON things (thing)")
            self._db.execute("CREATE INDEX events_alike ON events (kind, service, name, error)")

    def lead_of(self, event_id: str) -> int | None:
        """Number of the lead whose event this is; None when it is not in the index."""
        with self._lock:
            row = self._db.execute(
                "SELECT lead FROM events WHERE id = ? LIMIT 1", (event_id,)
            ).fetchone()
        return int(row[0]) if row else None

    def counts(self) -> dict[str, int]:
        """Events by kind; every kind is there."""
        counted = dict(self._all("SELECT kind, count(*) FROM events GROUP BY kind"))
        return {kind.value: int(counted.get(kind.value, 0)) for kind in Kind}

    def counts_by_lead(self) -> dict[int, int]:
        """Events by lead."""
        return dict(self._all("SELECT lead, count(*) FROM events GROUP BY lead"))

    def span(self) -> tuple[str, str]:
        """Times of the first and the last event; empty when there is none."""
        first, last = self._all("SELECT min(time), max(time) FROM events")[0]
        return (first or "", last or "")

    def first_time(self, kind: Kind) -> str:
        """Time of the first event of a kind, or the empty string."""
        return self._all("SELECT min(time) FROM events WHERE kind = ?", kind.value)[0][0] or ""

    def rows(self, *, without: Kind | None = None, at_most: int = -1) -> Iterator[Row]:
        """Events in the order of time, read from disk as they are asked for."""
        where = without.value if without else ""
        cursor = self._db.cursor()
        cursor.execute(
            "SELECT e.*, (SELECT json_group_array(iif(t.owner = '', t.thing, "
            "t.owner || '/' || t.thing)) FROM things t WHERE t.event = e.id AND t.thing <> '') "
            "FROM events e WHERE kind <> ? ORDER BY time, id LIMIT ?",
            (where, at_most),
        )
        for row in cursor:
            yield Row(*(*row[:-3], _list(row[-3]), row[-2], _list(row[-1])))

    def found(self, kind: Kind, at_most: int) -> list[Found]:
        """Things of events of a kind, in the order of time, each with its first event."""
        return [
            Found(*(*row[:-2], _list(row[-2]), row[-1]))
            for row in self._all(
                "SELECT t.event, e.service, e.name, t.type, t.thing, t.owner, t.region, "
                "min(t.time), e.actor, e.shared_with, e.lead "
                "FROM things t JOIN events e ON e.id = t.event WHERE t.kind = ? "
                "GROUP BY t.type, t.thing, t.owner, t.region, e.shared_with, "
                "iif(t.thing = '', t.event, '') ORDER BY min(t.time), t.event, t.thing LIMIT ?",
                kind.value,
                at_most,
            )
        ]

    def tallies(self, kind: Kind, at_most: int) -> list[Tally]:
        """Events of a kind by service, name and error, the most frequent first."""
        return [
            Tally(service, name, error, _list(regions), count, first, last, _list(things))
            for service, name, error, regions, count, first, last, things in self._all(
                "SELECT e.service, e.name, e.error, json_group_array(DISTINCT e.region), "
                "count(*), min(e.time), max(e.time), (SELECT json_group_array(thing) "
                "FROM (SELECT DISTINCT t.thing FROM events x JOIN things t ON t.event = x.id "
                "WHERE x.kind = ?1 AND x.service = e.service AND x.name = e.name "
                "AND x.error = e.error AND t.thing <> '' LIMIT ?3)) "
                "FROM events e WHERE e.kind = ?1 GROUP BY e.kind, e.service, e.name, e.error "
                "ORDER BY count(*) DESC, e.service, e.name, e.error LIMIT ?2",
                kind.value,
                at_most,
                EXAMPLES,
            )
        ]

    def things(self, kind: Kind) -> int:
        """How many things events of a kind are about, each event counted for itself."""
        return int(self._all("SELECT count(*) FROM things WHERE kind = ?", kind.value)[0][0])

    def has_created(self, kind: str, identifier: str) -> bool:
        """Whether an event created this thing."""
        return bool(
            self._all(
                "SELECT 1 FROM things WHERE thing = ? AND type = ? AND kind = ? LIMIT 1",
                identifier,
                kind,
                Kind.CREATED.value,
            )
        )

    def _all(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()


def _list(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
