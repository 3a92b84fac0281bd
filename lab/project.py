"""Reads a Pulumi project's configuration the way the engine does before it starts a program.

The engine fills in the defaults of `Pulumi.yaml` and checks the declared types; mocks do neither
(Pulumi documentation, "Project file reference", `config`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "array": list,
    "object": dict,
}


class ConfigError(ValueError):
    """A setting that the engine would refuse before running the program."""


@dataclass(frozen=True)
class Settings:
    """Configuration as the program sees it: `namespace:key` to text, and which keys are secret."""

    values: Mapping[str, str]
    secret_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """The part of `Pulumi.yaml` that shapes configuration. `declared` maps full keys to entries."""

    name: str
    declared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def beside(cls, program: Path, name: str) -> Project:
        """The project file in the program's folder; a program without one declares nothing."""
        file = program.parent / "Pulumi.yaml"
        if not file.exists():
            return cls(name)
        declared = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
        return cls(name, {_full(key, name): _entry(value) for key, value in declared.items()})

    def settings(self, configuration: Mapping[str, Any]) -> Settings:
        """`configuration` over the defaults, as text.

        ConfigError for a value that is missing or has another type than declared.
        """
        values = {
            key: entry["default"] for key, entry in self.declared.items() if "default" in entry
        }
        values |= {_full(key, self.name): value for key, value in configuration.items()}
        for key, entry in self.declared.items():
            if key in values:
                _check(key, values[key], entry)
            elif "type" in entry:
                raise ConfigError(
                    f"missing configuration value '{key}': set it in the stack's file"
                )
        secret = tuple(key for key, entry in self.declared.items() if entry.get("secret"))
        return Settings({key: _text(value) for key, value in values.items()}, secret)


def stack_config(file: Path) -> dict[str, Any]:
    """The `config:` block of a `Pulumi.<stack>.yaml`; secrets stay as they stand in the file."""
    return dict((yaml.safe_load(file.read_text()) or {}).get("config") or {})


def _full(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _entry(value: Any) -> Mapping[str, Any]:
    """A declaration as a mapping: `key: text` and `{value: …}` are other spellings of a default."""
    if not isinstance(value, dict):
        return {"default": value}
    return {**value, "default": value["value"]} if "value" in value else value


def _check(key: str, value: Any, entry: Mapping[str, Any]) -> None:
    kind = entry.get("type")
    if kind is None:
        return
    wrong_bool = kind == "integer" and isinstance(value, bool)
    if wrong_bool or not isinstance(value, TYPES[kind]):
        raise ConfigError(f"configuration value '{key}' must be of type '{kind}', not {value!r}")
    if isinstance(value, list):
        for item in value:
            _check(f"{key}[]", item, entry.get("items") or {})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
