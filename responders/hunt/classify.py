"""Says what an event did, to which things, and with whom a thing was shared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from responders.hunt.event import Event
from responders.hunt.outside import Home
from responders.hunt.shapes import guessed, names_in
from responders.hunt.table import Kind, Meaning, Place, plain, table

MOST_THINGS = 1000
"""Things of one event; RunInstances starts no more by default (EC2 quotas)."""
SHORTEST_MEMBER = 5
"""Letters of a member's name, below which it may stand for anything: `id`, `arn`, `key`."""


@dataclass(frozen=True)
class Thing:
    """Something that an event is about. `id` is empty where the event does not tell it."""

    type: str
    id: str
    owner: str = ""


@dataclass(frozen=True)
class Deed:
    """What an event did. `to`: accounts, groups or principals that a thing was shared with."""

    kind: Kind
    things: tuple[Thing, ...] = ()
    to: tuple[str, ...] = ()


def classify(event: Event, home: Home | None = None) -> Deed:
    """An event with an error is an attempt, whatever it would have done.

    `home` is what is not outside; without it, the account that the record was written for.
    """
    meaning = table().meaning(event.service, event.name)
    subjects_of_event = tuple(_things(event, meaning))[:MOST_THINGS]
    if event.error:
        return Deed(Kind.ATTEMPTED, subjects_of_event)
    if meaning is None:
        kind = _kind_unlisted(event)
        return Deed(kind, subjects_of_event or _unknown(event, kind))
    if meaning.kind is Kind.SHARED:
        to = tuple(_shared_with(event, meaning, home or Home(event.recipient or event.account)))
        kind = Kind.SHARED if to else Kind.CHANGED
        return Deed(kind, subjects_of_event or _unknown(event, kind), to)
    return Deed(meaning.kind, subjects_of_event or _unknown(event, meaning.kind))


def _kind_unlisted(event: Event) -> Kind:
    return Kind.READ if event.read_only else table().by_verb(plain(event.name))


def _things(event: Event, meaning: Meaning | None) -> Iterator[Thing]:
    if meaning is None:
        yield from _guessed(event, _kind_unlisted(event))
        return
    for place in meaning.places:
        if ids := event.texts(place.path):
            owner = event.text(place.owner) or _on_either_side(event, place.owner)
            yield from (Thing(place.type, identifier, owner) for identifier in ids)
            return
    for place in meaning.places:
        if identifier := _on_either_side(event, place.path):
            yield Thing(place.type, identifier, _on_either_side(event, place.owner))
            return


def _on_either_side(event: Event, path: str) -> str:
    """The last member of a path, wherever the event has it: which side names it depends on both.

    Members that every shape has, such as `id`, say nothing away from their place.
    """
    member = path.rpartition(".")[2]
    if len(member) < SHORTEST_MEMBER or not path.startswith(("request.", "response.")):
        return ""
    return next(iter(event.either(member)), "")


def _unknown(event: Event, kind: Kind) -> tuple[Thing, ...]:
    """What matters most is listed even when its event does not name it (a dropped answer)."""
    if kind not in (Kind.CREATED, Kind.SHARED, Kind.ANTI_FORENSICS):
        return ()
    meaning = table().meaning(event.service, event.name)
    place = meaning.places[0] if meaning else Place(_type_of(event), "")
    return (Thing(place.type, ""),)


def _guessed(event: Event, kind: Kind) -> Iterator[Thing]:
    """By the service's model, the answer first; else the member that is called as the event is.

    Models are not asked about reads: there are many, and what they are about is told by example.
    """
    noun = _noun(event)
    sides = ((event.response, True), (event.request, False))
    for part, answer in sides if kind is not Kind.READ else ():
        if identifiers := names_in(part, event.service, plain(event.name), noun, answer=answer):
            yield from (Thing(_type_of(event), identifier) for identifier in identifiers)
            return
    for part, _ in sides:
        if identifiers := guessed(part, noun):
            yield from (Thing(_type_of(event), identifier) for identifier in identifiers)
            return


def _noun(event: Event) -> str:
    """What an event's name is about: the name without its verb."""
    name = plain(event.name)
    verb = next((v for v in table().verbs if name.startswith(v) and name != v), "")
    return name[len(verb) :]


def _type_of(event: Event) -> str:
    """A type for what the table does not know, such as `newservice::Widget`."""
    return f"{event.service}::{_noun(event)}"


def _shared_with(event: Event, meaning: Meaning, home: Home) -> list[str]:
    named = [
        principal
        for path in meaning.to
        for principal in event.texts(path)
        if home.is_outside(principal)
    ]
    if meaning.policy:
        for policy in event.picks(meaning.policy):
            named += home.outsiders(policy)
    return list(dict.fromkeys(named))
