"""Says what an event did, to which things, and with whom a thing was shared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from responders.hunt.event import Event
from responders.hunt.paths import pick
from responders.hunt.table import Kind, Meaning, Place, plain, table

MOST_THINGS = 1000
"""Things of one event; RunInstances starts no more by default (EC2 quotas)."""
SHORTEST_MEMBER = 5
"""Letters of a member's name, below which it may stand for anything: `id`, `arn`, `key`."""
_ID_ENDINGS = ("arn", "aRN", "Arn", "ARN", "Id", "Identifier", "id", "Name", "name")


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


def classify(event: Event) -> Deed:
    """An event with an error is an attempt, whatever it would have done."""
    meaning = table().meaning(event.service, event.name)
    things = tuple(_things(event, meaning))[:MOST_THINGS]
    if event.error:
        return Deed(Kind.ATTEMPTED, things)
    if meaning is None:
        kind = _kind_unlisted(event)
        return Deed(kind, things or _unknown(event, kind))
    if meaning.kind is Kind.SHARED:
        to = tuple(_shared_with(event, meaning))
        kind = Kind.SHARED if to else Kind.CHANGED
        return Deed(kind, things or _unknown(event, kind), to)
    return Deed(meaning.kind, things or _unknown(event, meaning.kind))


def outsiders(policy: Any, account: str) -> list[str]:
    """Principals of a policy's Allow statements that are not of `account`; services left out.

    `policy` is a document or its JSON; anything else has none.
    """
    document = _document(policy)
    allowed = [
        one
        for statement in _list(document.get("Statement"))
        if isinstance(statement, Mapping) and statement.get("Effect") == "Allow"
        for one in _principals(statement.get("Principal"))
    ]
    return list(
        dict.fromkeys(one for one in allowed if one != account and f":{account}:" not in one)
    )


def _kind_unlisted(event: Event) -> Kind:
    return Kind.READ if event.read_only else table().by_verb(plain(event.name))


def _things(event: Event, meaning: Meaning | None) -> Iterator[Thing]:
    if meaning is None:
        yield from _guessed(event)
        return
    for place in meaning.places:
        if ids := event.texts(place.path):
            owner = event.text(place.owner) or _on_either_side(event, place.owner)
            yield from (Thing(place.type, one, owner) for one in ids)
            return
    for place in meaning.places:
        if one := _on_either_side(event, place.path):
            yield Thing(place.type, one, _on_either_side(event, place.owner))
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


def _guessed(event: Event) -> Iterator[Thing]:
    """The first value of the answer, or else of the request, that looks like an id or a name."""
    for part in (event.response, event.request):
        for value in (part, *part.values()) if isinstance(part, Mapping) else ():
            for member in _ID_ENDINGS:
                for name, one in value.items() if isinstance(value, Mapping) else ():
                    if name.endswith(member) and isinstance(one, str) and one:
                        yield Thing(_type_of(event), one)
                        return


def _type_of(event: Event) -> str:
    """A type for what the table does not know, such as `newservice::Widget`."""
    name = plain(event.name)
    verb = next((v for v in table().verbs if name.startswith(v) and name != v), "")
    return f"{event.service}::{name[len(verb) :]}"


def _shared_with(event: Event, meaning: Meaning) -> list[str]:
    account = event.recipient or event.account
    named = [one for path in meaning.to for one in event.texts(path) if one != account]
    if meaning.policy:
        head, _, rest = meaning.policy.partition(".")
        part = event.request if head == "request" else event.response
        for policy in pick(part, rest):
            named += outsiders(policy, account)
    return list(dict.fromkeys(named))


def _document(policy: Any) -> Mapping[str, Any]:
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except (ValueError, RecursionError):
            return {}
    return policy if isinstance(policy, Mapping) else {}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _principals(principal: Any) -> Iterator[str]:
    if isinstance(principal, str):
        yield principal
    elif isinstance(principal, Mapping):
        for kind in ("AWS", "Federated", "CanonicalUser"):
            yield from (str(one) for one in _list(principal.get(kind)))
