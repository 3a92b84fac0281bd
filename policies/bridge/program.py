"""What a Pulumi program declares, as read from a file: one `Stack` of `Resource`s per deployment.

Two sources: a recording of the program (`python -m lab.record`, complete, needs no account), and
`pulumi preview --json` of a real stack (what is computed at deployment is not known in it).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from policies.bridge.errors import BridgeError

RECORDING_SCHEMA = 1
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a string not yet known (pulumi SDK, `rpc.UNKNOWN`)."""
SPECIAL = "4dabf18193072939515e22adb298388d"
"""The key that marks a special value on the wire (pulumi SDK, `rpc._special_sig_key`)."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, the same for everybody
BLIND = "(secret)"
"""What stands for a secret."""


@dataclass(frozen=True)
class Source:
    """A line of the program; `line` counts from 1, 0 means that only the file is known."""

    file: str
    line: int


@dataclass(frozen=True)
class Resource:
    """One declared resource. Inputs are in wire form (camelCase), without secrets and unknowns."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    inputs: Mapping[str, Any]
    property_dependencies: Mapping[str, tuple[str, ...]]
    protect: bool
    source: Source | None


@dataclass(frozen=True)
class Stack:
    """All resources of one deployment, in order of registration."""

    name: str
    resources: tuple[Resource, ...]


def read_recording(file: Path) -> tuple[Stack, ...]:
    """The stacks of a recording; BridgeError when the file is missing, malformed or empty."""
    data = _json(file)
    if not isinstance(data, dict) or data.get("schema") != RECORDING_SCHEMA:
        raise BridgeError(
            f"{file} is not a recording of schema {RECORDING_SCHEMA}: "
            "make it with `python -m lab.record`"
        )
    try:
        stacks = tuple(
            Stack(entry["stack"], tuple(_recorded(resource) for resource in entry["resources"]))
            for entry in data["stacks"]
        )
    except (KeyError, TypeError) as error:
        raise BridgeError(f"{file} is not a recording: {error!r}") from error
    return _not_empty(stacks, file)


def read_preview(file: Path) -> tuple[Stack, ...]:
    """The stack that `pulumi preview --json` planned; BridgeError as above, or if it failed."""
    data = _json(file)
    steps = data.get("steps") if isinstance(data, dict) else None
    if not isinstance(steps, list):
        raise BridgeError(f"{file} has no steps: make it with `pulumi preview --json`")
    for diagnostic in data.get("diagnostics") or ():
        if diagnostic.get("severity") == "error":
            raise BridgeError(
                f"{file}: the preview failed: {diagnostic.get('message', '').strip()}"
            )
    # What is replaced has several steps with the same new state.
    states = {step["newState"]["urn"]: step["newState"] for step in steps if step.get("newState")}
    planned = (s for s in states.values() if s["type"] != "pulumi:pulumi:Stack")
    resources = tuple(_planned(state) for state in planned)
    names = {resource.urn.split("::")[0].removeprefix("urn:pulumi:") for resource in resources}
    return _not_empty((Stack("-".join(sorted(names)), resources),), file)


def _not_empty(stacks: tuple[Stack, ...], file: Path) -> tuple[Stack, ...]:
    empty = [stack.name for stack in stacks if not any(r.custom for r in stack.resources)]
    if empty or not stacks:
        raise BridgeError(f"{file} declares no resources{''.join(f' in {n!r}' for n in empty)}")
    return stacks


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BridgeError(f"{file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise BridgeError(f"{file} is not JSON: {error}") from error


def _recorded(entry: Mapping[str, Any]) -> Resource:
    source = entry["source"]
    return Resource(
        urn=entry["urn"],
        type=entry["type"],
        name=entry["name"],
        custom=entry["custom"],
        parent=entry["parent"],
        inputs=known(entry["inputs"]),
        property_dependencies=_tuples(entry["propertyDependencies"]),
        protect=entry["protect"],
        source=Source(source["file"], source["line"]) if source else None,
    )


def _planned(state: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=state["urn"],
        type=state["type"],
        name=state["urn"].rsplit("::", 1)[1],
        custom=bool(state.get("custom")),
        parent=state.get("parent", ""),
        inputs=known(state.get("inputs") or {}),
        property_dependencies=_tuples(state.get("propertyDependencies") or {}),
        protect=bool(state.get("protect")),
        source=_position(state.get("sourcePosition", "")),
    )


def _position(text: str) -> Source | None:
    """`project:///stacks/account.py#12,4` as a file and a line."""
    parts = urlsplit(text)
    if not parts.path:
        return None
    line = parts.fragment.split(",")[0]
    return Source(unquote(parts.path).lstrip("/"), int(line) if line.isdigit() else 0)


def _tuples(lists: Mapping[str, Sequence[str] | None]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(urns or ()) for key, urns in lists.items()}


def known(value: Any) -> Any:
    """A wire value without what isn't known, secrets blinded, whole numbers as `int`.

    The engine adds `__defaults` to objects; assets and archives become their path or text.
    """
    match value:
        case dict() if SPECIAL in value:
            return _special(value)
        case dict():
            pairs = ((key, known(item)) for key, item in value.items() if key != "__defaults")
            return {key: item for key, item in pairs if item is not None}
        case list():
            return [item for item in map(known, value) if item is not None]
        # The engine's wire format knows one kind of number, so that a port arrives as 443.0.
        case float() if value.is_integer():
            return int(value)
        case str() if UNKNOWN in value:
            return None
        case _:
            return value


def _special(value: Mapping[str, Any]) -> str | None:
    if value[SPECIAL] == SECRET:
        return BLIND
    content = value.get("path") or value.get("uri") or value.get("text")
    return str(content) if content is not None else None
