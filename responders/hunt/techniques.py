"""Which known techniques an event shows, by the ids of MITRE ATT&CK and AWS's own catalog."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

from responders.hunt.table import plain


@lru_cache(maxsize=4096)
def techniques_of(source: str, name: str) -> tuple[str, ...]:
    """Ids such as `T1098.001`, sorted; none for an event that by itself shows no technique.

    `source` is the event source, with or without its domain.
    """
    event = f"{source.partition('.')[0]}:{plain(name)}"
    return tuple(
        sorted(
            technique
            for technique, patterns in catalog().items()
            if any(_matches(event, pattern) for pattern in patterns)
        )
    )


@cache
def catalog() -> Mapping[str, tuple[str, ...]]:
    """Patterns of events by technique."""
    text = resources.files("responders.hunt").joinpath("techniques.toml").read_text()
    return {technique: tuple(events) for technique, events in tomllib.loads(text).items()}


def _matches(event: str, pattern: str) -> bool:
    return event.startswith(pattern[:-1]) if pattern.endswith("*") else event == pattern
