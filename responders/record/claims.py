"""Who works on a target, and which cases hold it: one log per target in the vault, for all cases.

`claims/<target>/<n>.json`, each created once. An entry holds the whole state: who works on the
target at this moment, until when at most, and every case that responded to it and has not released
it yet. A change is the next entry; of two that are written at the same time S3 takes one, and the
other is made again on top of it.

A claim informs, and keeps a release from opening what another holds. It never keeps anybody from
containing: an attacker could write one, and a responder may have died.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from responders.record.case import home
from responders.record.journal import bounded_json, canonical, utc
from responders.record.store import AlreadyThere
from responders.record.vault import Vault

CLAIMED_FOR = timedelta(minutes=15)
"""How long a claim counts if its holder never comes back: several times `RENEWED_EVERY`."""
RENEWED_EVERY = CLAIMED_FOR / 3
"""How often a run that lasts claims its target again: two renewals may fail before it lapses."""
TRIES = 5
"""Times that a change is made again because somebody else's came first."""
STATE_BYTES, STATE_DEPTH, MOST_LISTED = 64 * 1024, 8, 100
"""Bounds of an entry, and of each list in it: anybody who can write there may have made it."""


@dataclass(frozen=True)
class Work:
    """Somebody works on a target."""

    case: str
    run: str
    holder: str
    """Who, in words."""
    home: str
    """Which machine and folder of cases: two processes with the same one exclude each other."""
    until: datetime

    def __str__(self) -> str:
        return f"{self.holder} in case {self.case}, until {utc(self.until)} at most"


@dataclass(frozen=True)
class State:
    """One entry of the log."""

    working: tuple[Work, ...] = ()
    holding: tuple[str, ...] = ()
    """Cases that responded to the target and have not released it."""

    def others(self, mine: Work) -> tuple[Work, ...]:
        """Who else works on it now. What this home left behind has died: it holds a lock here."""
        now = datetime.now(UTC)
        return tuple(w for w in self.working if now < w.until and w.home != mine.home)

    def begun(self, mine: Work) -> State:
        """With this work, and its case as one that holds the target."""
        return State((*self.others(mine), mine), _with(self.holding, mine.case))

    def ended(self, mine: Work, *, released: bool) -> State:
        """Without this work; and without its case, if that let the target go."""
        holding = tuple(case for case in self.holding if not released or case != mine.case)
        return State(self.others(mine), holding)

    def as_json(self) -> dict[str, Any]:
        """The entry's content."""
        working = [
            {
                "case": work.case,
                "run": work.run,
                "holder": work.holder,
                "home": work.home,
                "until": utc(work.until),
            }
            for work in self.working
        ]
        return {"schema": 1, "working": working, "holding": list(self.holding)}


def _with(cases: tuple[str, ...], case: str) -> tuple[str, ...]:
    return cases if case in cases else (*cases[-MOST_LISTED + 1 :], case)


class Claims:
    """The log of one target. Methods raise boto3's errors, and ValueError for what is unreadable.

    `target`: an instance id, a key id, a user's or a role's name.
    """

    def __init__(self, vault: Vault, account: str, target: str) -> None:
        self._vault = vault
        # Users and roles have names that another account may have too.
        self._prefix = f"claims/{account}/{quote(target, safe='')}/"

    def read(self) -> State:
        """The state now."""
        return self._newest()[1]

    def change(self, make: Callable[[State], State]) -> State:
        """Writes the next entry, made of the newest one, and gives that one.

        `AlreadyThere` when others were faster each time.
        """
        for left in reversed(range(TRIES)):
            number, state = self._newest()
            key = f"{self._prefix}{number + 1:08}.json"
            try:
                self._vault.append(key, canonical(make(state).as_json()))
            except AlreadyThere:
                if not left:
                    raise
            else:
                return state
        raise AssertionError("unreachable")

    def claimant(self, case: str) -> str:
        """Who claimed the target for a case, and when S3 stored that; empty: no entry says.

        Looks at the newest `MOST_LISTED` entries.
        """
        stored = self._vault.stored(self._prefix)
        for key in sorted(stored, reverse=True)[:MOST_LISTED]:
            for work in parse(self._vault.get(key)).working:
                if work.case == case:
                    return f"{work.holder}, {utc(stored[key])}"
        return ""

    def _newest(self) -> tuple[int, State]:
        keys = self._vault.sizes(self._prefix)
        names = [key.removeprefix(self._prefix).removesuffix(".json") for key in keys]
        numbers = [int(name) for name in names if re.fullmatch("[0-9]{8}", name)]
        number = max(numbers, default=0)
        if not number:
            return 0, State()
        return number, parse(self._vault.get(f"{self._prefix}{number:08}.json"))


def parse(raw: bytes) -> State:
    """An entry of the log; ValueError when it is none."""
    body = bounded_json(raw, STATE_BYTES, STATE_DEPTH)
    working = body.get("working") if isinstance(body, dict) else None
    holding = body.get("holding") if isinstance(body, dict) else None
    if not isinstance(working, list) or not isinstance(holding, list):
        raise ValueError("not a claim")
    latest = datetime.now(UTC) + CLAIMED_FOR
    read = [_work(entry) for entry in working[:MOST_LISTED]]
    # A claim for longer than any is made for is forged, or by a wrong clock.
    return State(
        tuple(replace(work, until=min(work.until, latest)) for work in read),
        tuple(str(case) for case in holding[:MOST_LISTED]),
    )


def _work(entry: Mapping[str, Any]) -> Work:
    try:
        case, run, holder, folder = (str(entry[name]) for name in ("case", "run", "holder", "home"))
        until = datetime.fromisoformat(str(entry["until"])).astimezone(UTC)
        return Work(case, run, holder, folder, until)
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError("not a claim") from error


def work_here(case: str, run: str, responder: str) -> Work:
    """What this process says of itself."""
    host = platform.node()
    folder = hashlib.sha256(f"{host}:{home().resolve()}".encode()).hexdigest()[:16]
    until = datetime.now(UTC) + CLAIMED_FOR
    return Work(case, run, f"{responder} on {host}", folder, until)
