"""One run of a case as its journal tells it, and what it did to a target."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from responders.record.journal import GENESIS, Chain, Entry

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
"""What a run's folder can be called."""
UNDONE_OUTCOMES = frozenset({"not-contained", "not-released", "interrupted"})
"""Outcomes of runs that came to their end without reaching what was asked."""


def new_run() -> str:
    """A name for a run: UTC to the millisecond, so that names sort by time, and a random part."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    return f"{stamp}Z-{secrets.token_hex(3)}"


def run_began(name: str) -> datetime:
    """When a run was named (UTC), by its name; ValueError for what `new_run` did not make."""
    return datetime.strptime(name.partition("Z")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)


def is_response(command: str) -> bool:
    """Whether a command contains a target or lets it out again: each must know of the one before.

    The playbooks say which do; they are imported only now, for they import the record themselves.
    """
    from responders.playbook import released_commands

    return command in released_commands() | {"release"}


@dataclass(frozen=True)
class Run:
    """One run. `entries` are those whose chain holds: after damage there may have been more."""

    name: str
    entries: list[Entry]
    faults: tuple[str, ...] = ()
    """What is wrong with its journal."""
    broken: bool = False
    """Whether an entry is missing or changed."""
    hashes: frozenset[str] = frozenset()
    """SHA-256 of every readable entry."""

    @classmethod
    def of(cls, name: str, chain: Chain) -> Run:
        """The run that a journal tells."""
        return cls(name, chain.entries, tuple(chain.faults), chain.broken, chain.hashes)

    def _first(self, kind: str) -> Mapping[str, Any]:
        return next((e.body for e in self.entries if e.kind == kind), {})

    @property
    def begin(self) -> Mapping[str, Any]:
        """The entry that says what was asked; empty when the run died before it."""
        return self._first("begin")

    @property
    def end(self) -> Mapping[str, Any]:
        """The entry that closes a run; empty when it did not finish, or was gone on with since."""
        closing = {"end", "resume"}
        last = next((e for e in reversed(self.entries) if e.kind in closing), None)
        return last.body if last and last.kind == "end" else {}

    @property
    def target(self) -> str:
        """What it responded to; empty when that is not readable."""
        return str(self.begin.get("target", ""))

    @property
    def is_response(self) -> bool:
        """Whether it contains its target, or lets it out."""
        return is_response(str(self.begin.get("command")))

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something to go on with: it was cut off, or ended without success."""
        if not self.begin or self.begin.get("resumable") is False:
            return False
        return not self.end or self.end.get("outcome") in UNDONE_OUTCOMES

    @property
    def parents(self) -> frozenset[str]:
        """Hashes of the entries of other runs that this one says it follows."""
        named = {str(e.body.get("previous", GENESIS)) for e in self.entries[:1]}
        for entry in self.entries:
            named |= {str(digest) for digest in entry.body.get("follows", ())}
        return frozenset(named - {GENESIS})


@dataclass
class Undo:
    """What a step found before its first change, and left after its last, thing by thing."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    """Things that were seen only in a state that a response itself had made: nothing says what
    they were before."""


def undo_record(runs: Iterable[Run], target: str) -> dict[str, Undo]:
    """Per step, what to restore: the first state seen since the last release, and the last."""
    record: dict[str, Undo] = {}
    for run in runs:
        if run.target == target:
            for entry in run.entries:
                _replay(record, entry)
    return {step: undo for step, undo in record.items() if undo.before or undo.own}


def _replay(record: dict[str, Undo], entry: Entry) -> None:
    undo = record.setdefault(entry.step, Undo())
    match entry.kind:
        case "intend":
            own = {str(thing) for thing in entry.body.get("own", ())}
            for thing, state in entry.body["seen"].items():
                if thing not in own:
                    undo.before.setdefault(thing, state)
            undo.own = (undo.own | own) - undo.before.keys()
        case "result" if entry.body.get("now") is not None:
            undo.after.update({k: v for k, v in entry.body["now"].items() if k in undo.before})
        case "undone":
            for thing in entry.body["restored"]:
                undo.before.pop(thing, None)
                undo.after.pop(thing, None)
                undo.own.discard(thing)


def unfinished(runs: Iterable[Run]) -> list[Run]:
    """The runs that `cordon resume` goes on with, of some in their order.

    A response that a later one on its target followed is over, whatever it left undone: to go on
    with it could contain what was released since.
    """
    newest: dict[tuple[str, str], Run] = {}
    for run in runs:
        if run.begin.get("resumable") is False:
            continue  # to close an opening, or to read, does not carry out what was asked before
        kind = "response" if run.is_response else str(run.begin.get("command"))
        newest[run.target, kind] = run
    return [run for run in newest.values() if run.is_unfinished]
