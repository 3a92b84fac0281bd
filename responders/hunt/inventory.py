"""Reads `inventory.toml`: how to look at a thing, list its type by date, and remove it."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from responders.json_values import Json, JsonObject
from responders.permissions import Permission, allow


@dataclass(frozen=True)
class Ask:
    """One read of AWS. Texts of `request` may hold `{id}` and `{owner}`."""

    call: str
    action: str = ""
    request: Mapping[str, Json] = field(default_factory=dict)
    at: str = ""
    id: str = ""
    state: str = ""

    @property
    def service(self) -> str:
        """boto3's name of the service."""
        return self.call.partition(":")[0]

    @property
    def operation(self) -> str:
        """The API's name of the operation."""
        return self.call.partition(":")[2]


@dataclass(frozen=True)
class Look(Ask):
    """Whether things are there. With `filter`, many at once."""

    filter: str = ""
    gone: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing(Ask):
    """All things of a type, with the date of their creation."""

    date: str = ""
    owner: str = ""
    per_user: bool = False


@dataclass(frozen=True)
class Shares(Ask):
    """With whom a thing is shared: paths of accounts, or of a policy document."""

    to: tuple[str, ...] = ()
    policy: str = ""
    none: tuple[str, ...] = ()


@dataclass(frozen=True)
class ThingType:
    """What is known of a type; whatever is None or empty is not."""

    name: str
    remedy: str = ""
    unshare: str = ""
    is_global: bool = False
    look: Look | None = None
    listing: Listing | None = None
    shares: Shares | None = None


@cache
def inventory() -> Mapping[str, ThingType]:
    """Every type, by its name."""
    text = resources.files("responders.hunt").joinpath("inventory.toml").read_text()
    return {name: _type(name, entry) for name, entry in tomllib.loads(text).items()}


def known(name: str) -> ThingType:
    """The type; one of which nothing is known when it is not in the table."""
    return inventory().get(name) or ThingType(name)


def command(template: str, values: Mapping[str, str | Sequence[str]]) -> str:
    """A command line for a shell; every value is quoted, for an attacker may have chosen it.

    Empty when a value lacks, or could be read as an option.
    """
    words = {name: [v] if isinstance(v, str) else list(v) for name, v in values.items()}
    used = {name: listed for name, listed in words.items() if f"{{{name}}}" in template}
    if any(
        not listed or any(not v or v.startswith("-") for v in listed) for listed in used.values()
    ):
        return ""
    return template.format_map({name: shlex.join(listed) for name, listed in words.items()})


def filled(request: Json, values: Mapping[str, str]) -> Json:
    """A request with the values put in."""
    match request:
        case str():
            return request.format_map(values) if "{" in request else request
        case list():
            return [filled(item, values) for item in request]
        case dict():
            return {name: filled(item, values) for name, item in request.items()}
        case _:
            return request


def _type(name: str, entry: Mapping[str, Json]) -> ThingType:
    return ThingType(
        name,
        entry.get("remedy", ""),
        entry.get("unshare", ""),
        entry.get("global", False),
        Look(**_tuples(entry["look"])) if "look" in entry else None,
        Listing(**entry["list"]) if "list" in entry else None,
        Shares(**_tuples(entry["shares"])) if "shares" in entry else None,
    )


def _tuples(entry: Mapping[str, Json]) -> JsonObject:
    names = {"with": "to"}
    listed = {"gone", "missing", "with", "none"}
    return {names.get(k, k): tuple(v) if k in listed else v for k, v in entry.items()}


def _permissions() -> tuple[Permission, ...]:
    asks = [a for t in inventory().values() for a in (t.look, t.listing, t.shares) if a]
    actions = dict.fromkeys(ask.action or ask.call for ask in asks)
    return (
        allow(
            *actions,
            because="looks whether what an attacker made is still there, and what else is new",
        ),
        allow("cloudformation:ListStacks", because="a list of stacks without a name needs it too"),
    )


PERMISSIONS = _permissions()
