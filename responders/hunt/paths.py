"""Finds values in JSON by short paths, such as `response.instancesSet.items.*.instanceId`.

A step is a key; `*` is every item of a list; `..key` is that key at any depth, for answers whose
wrapping differs (EC2's newer operations). Values are whatever the caller of AWS wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from responders.json_values import Json

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes in the place of a secret (CloudTrail user guide, "record contents")."""


def pick(value: Json, path: str) -> list[Json]:
    """Every value at a path, in order; none is an answer too. Nothing raises."""
    values = [value]
    for step in _steps(path):
        values = [inner for outer in values for inner in _step(outer, step)]
    return [each for each in values if each is not None and each != HIDDEN]


def texts(value: Json, path: str) -> list[str]:
    """The texts and numbers at a path, as texts, each once, without empty ones."""
    picked = (
        _whole(str(leaf)) for leaf in pick(value, path) if isinstance(leaf, str | int | float)
    )
    return list(dict.fromkeys(text for text in picked if text))


def text(value: Json, path: str) -> str:
    """The first text at a path, or the empty string."""
    return next(iter(texts(value, path)), "")


def member(value: Mapping[str, Json], name: str) -> str:
    """The text that is a direct member, or the empty string; quicker than a path."""
    entry = value.get(name)
    return _whole(entry) if isinstance(entry, str) and entry != HIDDEN else ""


def _whole(text: str) -> str:
    """Text that can be written: half a surrogate pair, which JSON can carry, is spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


@cache
def _steps(path: str) -> tuple[str, ...]:
    """Paths come from our tables, not from events, so that there are few."""
    parts = path.split(".")
    return tuple(
        f"..{part}" if number and not parts[number - 1] else part
        for number, part in enumerate(parts)
        if part
    )


def _step(value: Json, step: str) -> Iterator[Json]:
    if step.startswith(".."):
        yield from _anywhere(value, step[2:])
    elif step == "*":
        if isinstance(value, list):
            yield from value
    elif isinstance(value, Mapping) and step in value:
        yield value[step]


def _anywhere(value: Json, key: str) -> Iterator[Json]:
    """Depth first; without recursion, since the JSON may be as deep as its writer liked."""
    left = [value]
    while left:
        node = left.pop()
        if isinstance(node, Mapping):
            if key in node:
                yield node[key]
            left += [node[k] for k in reversed(list(node)) if k != key]
        elif isinstance(node, list):
            left += reversed(node)
