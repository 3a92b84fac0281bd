"""Reads `events.toml`: what each event name means, and where the id of its thing is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any


class Kind(StrEnum):
    """What an event did. `ATTEMPTED` is any call that AWS refused or that failed."""

    CREATED = "created"
    MINTED = "minted"
    SHARED = "shared"
    ANTI_FORENSICS = "anti-forensics"
    DESTROYED = "destroyed"
    CHANGED = "changed"
    READ = "read"
    ATTEMPTED = "attempted"


@dataclass(frozen=True)
class Place:
    """Where an event names a thing: the thing's type, the path of its id and of its owner."""

    type: str
    path: str
    owner: str = ""

    @classmethod
    def parse(cls, text: str) -> Place:
        """Reads `TYPE PATH`, or `TYPE PATH of PATH`; ValueError for anything else."""
        match text.split():
            case [kind, path]:
                return cls(kind, path)
            case [kind, path, "of", owner]:
                return cls(kind, path, owner)
        raise ValueError(f"{text!r} is not «TYPE PATH», nor «TYPE PATH of PATH»")


@dataclass(frozen=True)
class Meaning:
    """What an event name stands for. `to` and `policy` say with whom a thing was shared."""

    kind: Kind
    places: tuple[Place, ...]
    to: tuple[str, ...] = ()
    policy: str = ""


@dataclass(frozen=True)
class Table:
    """Meanings by service and plain event name; verbs for the names that are not there."""

    meanings: Mapping[tuple[str, str], Meaning]
    verbs: Mapping[str, Kind]

    def meaning(self, service: str, name: str) -> Meaning | None:
        """What the table says of an event; None when it is not there."""
        return self.meanings.get((service, plain(name)))

    def by_verb(self, name: str) -> Kind:
        """What the first word of a name says; `changed` when it says nothing."""
        return next(
            (kind for verb, kind in self.verbs.items() if _begins(name, verb)), Kind.CHANGED
        )


_VERSION = re.compile(r"(\d{8}|\d{4}_\d{2}_\d{2})(v\d+)?$")


def plain(name: str) -> str:
    """An event name without the API version that Lambda and CloudFront append."""
    return _VERSION.sub("", name)


def _begins(name: str, verb: str) -> bool:
    """`Describe` begins `DescribeInstances`, but `Run` does not begin `Runtime`."""
    return name.startswith(verb) and not name[len(verb) :][:1].islower()


@cache
def table() -> Table:
    """The table of this version, read once."""
    text = resources.files("responders.hunt").joinpath("events.toml").read_text()
    data = tomllib.loads(text)
    verbs = {verb: Kind(kind) for kind, verbs in data.pop("verbs").items() for verb in verbs}
    meanings = {
        (service, name): _meaning(Kind(kind), entry)
        for kind, services in data.items()
        for service, entries in services.items()
        for name, entry in entries.items()
    }
    return Table(meanings, dict(sorted(verbs.items(), key=lambda v: -len(v[0]))))


def _meaning(kind: Kind, entry: Any) -> Meaning:
    if isinstance(entry, Mapping):
        places = (Place.parse(entry["what"]),)
        return Meaning(kind, places, tuple(entry.get("with", ())), entry.get("policy", ""))
    entries = [entry] if isinstance(entry, str) else entry
    return Meaning(kind, tuple(Place.parse(one) for one in entries))
