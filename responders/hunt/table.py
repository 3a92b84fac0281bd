"""Reads `events.toml`: what an event name means, where its thing is, and what it gives out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from responders.json_values import Json


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


class Follow(StrEnum):
    """What a hunt does about an operation that answers with a credential or a token."""

    FOLLOW = "follow"
    LOOK = "look"
    NO = "no"


@dataclass(frozen=True)
class Minting:
    """How an operation that answers with a credential is classified, and why it is not followed."""

    follow: Follow
    why: str = ""

    @property
    def is_followed(self) -> bool:
        """Whether what it gives out is followed."""
        return self.follow is Follow.FOLLOW

    @classmethod
    def parse(cls, text: str) -> Minting:
        """Reads `follow`, `look: why` or `no: why`; ValueError for anything else."""
        word, _, why = text.partition(": ")
        follow = Follow(word)
        if (follow is Follow.FOLLOW) == bool(why):
            raise ValueError(f"{text!r} is not «follow», «look: why» or «no: why»")
        return cls(follow, why)


@dataclass(frozen=True)
class Hint:
    """Why an event's doing can't be followed, and a command that looks there.

    Words in braces in the command are members of the event, or `region`.
    """

    why: str
    command: str = ""

    @property
    def members(self) -> tuple[str, ...]:
        """The members of the event that the command needs."""
        return tuple(word for word in _WORD.findall(self.command) if word != "region")


EventName = tuple[str, str]
"""A service, which is the event source without its domain, and a plain event name."""


@dataclass(frozen=True)
class Table:
    """Meanings by service and plain event name; verbs for the names that are not there."""

    meanings: Mapping[EventName, Meaning]
    verbs: Mapping[str, Kind]
    mintings: Mapping[EventName, Minting]
    hints: Mapping[EventName, Hint]

    def meaning(self, service: str, name: str) -> Meaning | None:
        """What the table says of an event; None when it is not there."""
        return self.meanings.get((service, plain(name)))

    def by_verb(self, name: str) -> Kind:
        """What the first word of a name says; `changed` when it says nothing."""
        return next(
            (kind for verb, kind in self.verbs.items() if _begins(name, verb)), Kind.CHANGED
        )


_WORD = re.compile(r"\{(\w+)\}")
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
    mintings = {name: Minting.parse(entry) for name, entry in _flat(data.pop("minting"))}
    hints = {name: Hint(**entry) for name, entry in _flat(data.pop("look"))}
    meanings = {
        name: _meaning(Kind(kind), entry) for kind in data for name, entry in _flat(data[kind])
    }
    # What gives out a credential is no read, however its name begins.
    minted = {
        name: Meaning(Kind.MINTED, (Place(f"{name[0]}::Credentials", "response..accessKeyId"),))
        for name, minting in mintings.items()
        if minting.follow is not Follow.NO and name not in meanings
    }
    return Table(
        {**minted, **meanings},
        dict(sorted(verbs.items(), key=lambda v: -len(v[0]))),
        mintings,
        hints,
    )


def _flat(services: Mapping[str, Mapping[str, Json]]) -> Iterator[tuple[EventName, Json]]:
    for service, entries in services.items():
        for name, entry in entries.items():
            yield (service, name), entry


def _meaning(kind: Kind, entry: Json) -> Meaning:
    if isinstance(entry, Mapping):
        places = (Place.parse(entry["what"]),)
        return Meaning(kind, places, tuple(entry.get("with", ())), entry.get("policy", ""))
    entries = [entry] if isinstance(entry, str) else entry
    return Meaning(kind, tuple(Place.parse(place_text) for place_text in entries))
