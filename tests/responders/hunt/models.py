"""What botocore's installed models say: read as JSON, for service models take minutes to build."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore

from responders.hunt.shapes import MODELS

_DATA = Path(botocore.__file__).parent / "data"
_KEY_ID = re.compile(r"accesskeyid$", re.IGNORECASE)
_SECRET = re.compile(r"secret(access)?key$", re.IGNORECASE)
_CREDENTIAL = re.compile(
    r"(access|auth|authorization|bearer|session|refresh|id|identity|security|web|login|cli|"
    r"participant|connection|federation|signin|join)token$|tokenvalue$|servicepassword$|"
    r"dbpassword$|^(presigned|authorized|signin_?|login)url$",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(token|jwt)$", re.IGNORECASE)
_NOT_A_CREDENTIAL = re.compile(r"next_?token$|page_?token$", re.IGNORECASE)
_WORTH_READING = re.compile(
    rb'"(\w*(Token|Jwt|JWT|Password|AccessKeyId|Url|URL|token|TokenValue|tokenValue|accessKeyId))'
    rb'"\s*:\s*\{\s*"shape"'
)


@dataclass(frozen=True)
class Minter:
    """An operation whose answer has a credential. `services`: names CloudTrail may know it by."""

    service: str
    operation: str
    services: tuple[str, ...]
    members: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.service}:{self.operation}"


@cache
def minters() -> tuple[Minter, ...]:
    """Every operation of the installed models that answers with a credential or a token."""
    return tuple(one for path in sorted(_DATA.glob("*/*/service-2.json.gz")) for one in _of(path))


@cache
def operations(event_service: str) -> frozenset[str]:
    """Names of the operations of a service, by the name that its events bear."""
    names = MODELS.get(event_service, (event_service,))
    newest = (sorted((_DATA / name).glob("*/service-2.json.gz"))[-1:] for name in names)
    models = (json.loads(gzip.decompress(path.read_bytes())) for paths in newest for path in paths)
    return frozenset(operation for model in models for operation in model["operations"])


def _of(path: Path) -> Iterator[Minter]:
    raw = gzip.decompress(path.read_bytes())
    if not _WORTH_READING.search(raw):
        return
    model = json.loads(raw)
    shapes, service = model["shapes"], path.parts[-3]
    metadata = model["metadata"]
    prefix = metadata["endpointPrefix"]
    names = (service, prefix, prefix.removeprefix("api."), metadata.get("signingName", service))
    known: dict[str, frozenset[tuple[str, bool]]] = {}
    for operation, entry in model["operations"].items():
        if "output" not in entry:
            continue
        leaves = _leaves(shapes, entry["output"]["shape"], known, ())
        if members := sorted(_credentials(leaves)):
            yield Minter(service, operation, tuple(dict.fromkeys(names)), tuple(members))


def _credentials(leaves: frozenset[tuple[str, bool]]) -> set[str]:
    """Members that hold a credential: a key with its secret, or a token."""
    found = {
        name
        for name, sensitive in leaves
        if (_CREDENTIAL.search(name) or (sensitive and _TOKEN.search(name)))
        and not _NOT_A_CREDENTIAL.search(name)
    }
    keys = {name for name, _ in leaves if _KEY_ID.search(name)}
    return found | (keys if any(_SECRET.search(name) for name, _ in leaves) else set())


def _leaves(
    shapes: Any, name: str, known: dict[str, frozenset[tuple[str, bool]]], above: tuple[str, ...]
) -> frozenset[tuple[str, bool]]:
    """Names of the texts in a shape, at any depth, and whether the model calls them sensitive."""
    if name in known:
        return known[name]
    if name in above:
        return frozenset()
    found: set[tuple[str, bool]] = set()
    shape = shapes[name]
    members = {
        "structure": shape.get("members", {}),
        "list": {"": shape.get("member")},
        "map": {"": shape.get("value")},
    }.get(shape["type"], {})
    for member, reference in members.items():
        target = shapes[reference["shape"]]
        if target["type"] in ("string", "blob"):
            found.add((member, bool(target.get("sensitive"))))
        else:
            inner = _leaves(shapes, reference["shape"], known, (*above, name))
            # A list or map of texts is called as the member that holds it.
            found |= {(one or member, sensitive) for one, sensitive in inner}
    known[name] = frozenset(found)
    return known[name]
