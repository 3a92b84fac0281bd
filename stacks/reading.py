"""Reads single settings of `pulumi.Config`, and refuses bad ones by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import pulumi
from pulumi.runtime import get_config_env
from pulumi.runtime.config import CONFIG

T = TypeVar("T")


class BadConfig(pulumi.RunError):
    """A setting that can't be used. The message names it and says what to do; no stack trace."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}")


class Reading:
    """The settings of one namespace. Every method raises BadConfig for a value it can't take."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._config = pulumi.Config(namespace)
        self._keys_read: set[str] = set()

    def bad(self, key: str, problem: str) -> BadConfig:
        """The error to raise about one setting."""
        return BadConfig(f"{self.namespace}:{key}", problem)

    def text(
        self, key: str, default: str = "", *, pattern: str = ".*", meaning: str = "text"
    ) -> str:
        """One text; the pattern must match all of it unless it is the default."""
        self._keys_read.add(key)
        value = (self._config.get(key) or "").strip() or default
        if value != default and not re.fullmatch(pattern, value):
            raise self.bad(key, f"{value!r} is not {meaning}")
        return value

    def secret(self, key: str, *, pattern: str, meaning: str) -> str:
        """Like `text`, but the error does not show the value."""
        self._keys_read.add(key)
        value = self._config.get(key) or ""
        if value and not re.fullmatch(pattern, value):
            raise self.bad(key, f"the value is not {meaning}")
        return value

    def choice(self, key: str, options: Iterable[str], default: str) -> str:
        """One of a few words."""
        value, allowed = self.text(key, default), tuple(options)
        if value not in allowed:
            raise self.bad(key, f"{value!r} is unknown; use one of {', '.join(allowed)}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._json(key, default)
        if not isinstance(value, bool):
            raise self.bad(key, f"must be true or false, not {value!r}")
        return value

    def number(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number, both ends included."""
        value = self._json(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.bad(key, f"must be a whole number from {low} to {high}, not {value!r}")
        return value

    def texts(
        self, key: str, *, pattern: str = ".+", meaning: str = "text", default: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """A list of different texts, in the order given."""
        value = self._json(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.bad(key, f"must be a list of texts, not {value!r}")
        for item in value:
            if not re.fullmatch(pattern, item):
                raise self.bad(key, f"{item!r} is not {meaning}")
        if len(set(value)) != len(value):
            raise self.bad(key, "names something twice; remove one of the two")
        return tuple(value)

    def table(self, key: str, kind: type[T]) -> dict[str, T]:
        """A map from texts to values of one kind."""
        value = self._json(key, {})
        if not isinstance(value, dict):
            raise self.bad(key, f"must be a map, not {value!r}")
        for name, item in value.items():
            if not isinstance(item, kind) or isinstance(item, bool) is not (kind is bool):
                raise self.bad(key, f"{name}: must be of type {kind.__name__}, not {item!r}")
        return value

    def records(self, key: str) -> tuple[dict[str, Any], ...]:
        """A list of maps."""
        value = self._json(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.bad(key, f"must be a list of maps, not {value!r}")
        return tuple(value)

    def refuse_unknown(self) -> None:
        """BadConfig for a setting that was never read: a typing error must not pass."""
        configuration = {**get_config_env(), **CONFIG.get()}
        for full in sorted(configuration):
            namespace, _, key = full.partition(":")
            if namespace == self.namespace and key.partition(".")[0] not in self._keys_read:
                known = ", ".join(sorted(self._keys_read))
                raise self.bad(key, f"there is no such setting; there are {known}")

    def _json(self, key: str, default: Any) -> Any:
        self._keys_read.add(key)
        text = self._config.get(key)
        if text is None or text == "":
            return default
        try:
            return json.loads(text)
        except ValueError:
            return text
