"""How each Pulumi AWS resource type is spelled in Terraform: the files in `table/`, one a service.

A section is a Terraform type. `token` is its Pulumi token, `has` its arguments, and every other
key is a nested block, named by its path, with the arguments that the block has:

    [aws_s3_bucket_lifecycle_configuration]
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    has = "bucket region"
    "rule[]=rules" = "id status"
    "rule.filter" = "prefix tag{}"

A name is Terraform's. Marks after it say how Pulumi differs:

    name          a value, or a list of values; a block that Terraform allows once: Pulumi gives
                  the object alone, Terraform a list of one
    name[]        a block that may be repeated: both give a list of objects; on an argument, a list
                  of one value that Pulumi gives alone
    name{}        a map: its keys are data
    name@         a JSON document: text in Terraform, text or an object in Pulumi
    name=other    Pulumi's name, where it isn't the camelCase of Terraform's
    name^block    a block of the same shape as the enclosing one called `block`
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from policies.bridge.errors import BridgeError

FOLDER = Path(__file__).parent / "table"
NAME = re.compile(
    r"(?P<name>[a-z0-9_]+)(?P<mark>\[\]|\{\}|@)?(=(?P<pulumi>\w+))?(\^(?P<like>\w+))?"
)


class Kind(Enum):
    """What becomes of a property's value."""

    VALUE = "value"
    ONLY = "only value of a list"
    MAP = "map"
    DOCUMENT = "JSON document"
    BLOCK = "block"
    BLOCKS = "blocks"


@dataclass(frozen=True)
class Property:
    """One property: its Terraform name, its kind and, for blocks, the shape inside."""

    name: str
    kind: Kind
    inside: Shape | None = None


@dataclass(frozen=True)
class Shape:
    """The properties of a resource type or block, by their Pulumi (wire) names."""

    properties: Mapping[str, Property]


@dataclass(frozen=True)
class Mapped:
    """A resource type that the table knows."""

    terraform: str
    token: str
    shape: Shape
    file: Path


def camel(name: str) -> str:
    """Pulumi's usual spelling of a Terraform name: `vpc_id` becomes `vpcId`."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def mapped(token: str) -> Mapped:
    """The table's entry for a Pulumi type token; BridgeError when it has none."""
    file = FOLDER / f"{service(token)}.toml"
    entry = _load(file).get(token) if file.exists() else None
    if entry is None:
        raise BridgeError(
            f"the bridge has no {token}: add a section to policies/bridge/table/{file.name} "
            f"(`python -m policies.bridge.draft {token}` prints a first draft)"
        )
    return entry


def service(token: str) -> str:
    """`ec2` of `aws:ec2/securityGroup:SecurityGroup`; BridgeError for what isn't AWS's."""
    match = re.fullmatch(r"aws:(\w+)/\w+:\w+", token)
    if match is None:
        raise BridgeError(f"{token} is no type of Pulumi's AWS provider: the bridge has no other")
    return match[1]


def everything() -> tuple[Mapped, ...]:
    """All types that the table knows, by file and then by Terraform name."""
    return tuple(entry for file in sorted(FOLDER.glob("*.toml")) for entry in _load(file).values())


@cache
def _load(file: Path) -> Mapping[str, Mapped]:
    sections = tomllib.loads(file.read_text(encoding="utf-8"))
    entries = [_entry(name, section, file) for name, section in sections.items()]
    return {entry.token: entry for entry in entries}


def _entry(terraform: str, section: Mapping[str, str], file: Path) -> Mapped:
    where = f"[{terraform}] of policies/bridge/table/{file.name}"
    shapes: dict[str, dict[str, Property]] = {"": _arguments(section.get("has", ""), where)}
    for key, text in section.items():
        if key in ("token", "has"):
            continue
        parent, _, last = key.rpartition(".")
        if parent not in shapes:
            raise BridgeError(f"{where}: put the block {parent!r} before {key!r}")
        parsed = _read(last, where)
        path = f"{parent}.{parsed['name']}".lstrip(".")
        shapes[path] = {}
        _reuse(text, path, shapes, where)
        shapes[path] |= _arguments(_plain(text), where)
        kind = Kind.BLOCKS if parsed["mark"] else Kind.BLOCK
        shapes[parent][_pulumi(parsed)] = Property(parsed["name"], kind, Shape(shapes[path]))
    return Mapped(terraform, section["token"], Shape(shapes[""]), file)


def _arguments(text: str, where: str) -> dict[str, Property]:
    kinds = {None: Kind.VALUE, "[]": Kind.ONLY, "{}": Kind.MAP, "@": Kind.DOCUMENT}
    parsed = [_read(word, where) for word in text.split()]
    return {_pulumi(word): Property(word["name"], kinds[word["mark"]]) for word in parsed}


def _plain(text: str) -> str:
    return " ".join(word for word in text.split() if "^" not in word)


def _reuse(text: str, path: str, shapes: dict[str, dict[str, Property]], where: str) -> None:
    """Blocks of a shape that encloses them: `statement^statement` inside `rule.statement`."""
    for word in text.split():
        parsed = _read(word, where)
        if parsed["like"] is None:
            continue
        steps = path.split(".")
        if parsed["like"] not in steps:
            raise BridgeError(f"{where}: {word!r} names a block that does not enclose it")
        outer = ".".join(steps[: steps.index(parsed["like"]) + 1])
        kind = Kind.BLOCKS if parsed["mark"] else Kind.BLOCK
        shapes[path][_pulumi(parsed)] = Property(parsed["name"], kind, Shape(shapes[outer]))


def _read(word: str, where: str) -> dict[str, Any]:
    match = NAME.fullmatch(word)
    if match is None:
        raise BridgeError(f"{where}: {word!r} is not a name with marks that the table knows")
    return match.groupdict()


def _pulumi(parsed: Mapping[str, Any]) -> str:
    return str(parsed["pulumi"] or camel(parsed["name"]))
