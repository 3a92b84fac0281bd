"""What a policy is, and what policies share. Standard library and `contract` only.

A policy is a file of `policies/checkov` with one `check = rule(…)`: which resources it is about,
and a function that judges one of them. The function gets the resource's configuration and the
whole plan; it returns what is wrong (nothing: the resource is good), or None when the rule is not
about this resource. What it can't know it reports as `Unknown`, and never passes over.

The same rules are run by Checkov, before a deployment (`policies/adapter.py`), and by Pulumi,
during one (`policies/pack`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import contract

Conf = Mapping[str, Any]
"""A resource's configuration in Terraform's words, each value in a list, as Checkov holds it."""
ADDRESS = "__address__"
REFERENCES = "references_"
MARKS = ("start_line", "end_line")
"""Line numbers, which Checkov puts among a map's keys; others of its own begin with `__`."""


class Unknown(str):
    """A fault that is only this: the plan does not know a value yet. Checkov fails on it."""


class Plan:
    """All resources of a plan, for policies that look at more than one."""

    def __init__(self, resources: Iterable[tuple[str, Conf]]) -> None:
        self._by_kind: dict[str, list[Conf]] = {}
        self._indexes: dict[tuple[str, ...], dict[tuple[str, ...], list[Conf]]] = {}
        for kind, conf in resources:
            self._by_kind.setdefault(kind, []).append(conf)

    def all(self, kind: str) -> Sequence[Conf]:
        """All resources of a Terraform type."""
        return self._by_kind.get(kind, ())

    def pointing(self, kind: str, key: str, target: Conf, *literals: str | None) -> list[Conf]:
        """Those of a type whose argument `key` names `target`, by reference or by these values."""
        return [conf for conf in self.all(kind) if points(first(conf, key), target, *literals)]

    def alike(self, kind: str, conf: Conf, *keys: str) -> Sequence[Conf]:
        """Those of a type that have the same known values of these arguments as `conf`."""
        values = [first(conf, key) for key in keys]
        return () if None in values else self._index(kind, keys).get(_texts(values), ())

    def _index(self, kind: str, keys: tuple[str, ...]) -> dict[tuple[str, ...], list[Conf]]:
        if (kind, *keys) not in self._indexes:
            index: dict[tuple[str, ...], list[Conf]] = {}
            for conf in self.all(kind):
                index.setdefault(_texts(first(conf, key) for key in keys), []).append(conf)
            self._indexes[(kind, *keys)] = index
        return self._indexes[(kind, *keys)]


Judge = Callable[[Conf, Plan], Iterable[str] | None]


@dataclass(frozen=True)
class Rule:
    """A policy. `kinds` are Terraform types (`aws_*`: all), `text` states the good outcome.

    `alone`: it can be judged without the rest of the plan. `category` is one of Checkov's.
    """

    identifier: str
    text: str
    kinds: tuple[str, ...]
    category: str
    judge: Judge
    alone: bool


def rule(
    identifier: str,
    text: str,
    kinds: Sequence[str],
    category: str,
    judge: Judge,
    *,
    alone: bool = False,
) -> Rule:
    """A `Rule`; where Checkov is installed, it is registered there, as Checkov expects."""
    policy = Rule(identifier, text, tuple(kinds), category, judge, alone)
    if find_spec("checkov") is not None:
        from policies.adapter import register

        register(policy)
    return policy


def points(value: Any, target: Conf, *literals: str | None) -> bool:
    """Whether a value is a reference to `target`, or one of these literal values of it."""
    address = target[ADDRESS]
    return any(
        item == address or str(item).startswith(f"{address}.") or (item in literals and bool(item))
        for item in contract.as_list(value)
    )


def first(conf: Conf, key: str) -> Any:
    """An argument's value; None when it isn't set, or not known."""
    values = conf.get(key)
    return values[0] if isinstance(values, list) and values else None


def blocks(conf: Conf, key: str) -> list[Conf]:
    """The nested blocks of one name."""
    return [nested for nested in conf.get(key) or [] if isinstance(nested, dict)]


def block(conf: Conf, *path: str) -> Conf:
    """The block at the end of a path of single blocks; empty when there is none."""
    for key in path:
        conf = next(iter(blocks(conf, key)), {})
    return conf


def tags(conf: Conf) -> dict[str, Any]:
    """The resource's tags, as they are in the program."""
    declared = first(conf, "tags") or {}
    return {k: v for k, v in declared.items() if not k.startswith("__") and k not in MARKS}


def purpose(conf: Conf) -> str:
    """The kit's purpose of a resource; empty for what the kit did not prepare."""
    return str(tags(conf).get(contract.TAG_PURPOSE, ""))


def judged(
    conf: Conf, key: str, judge: Callable[[Mapping[str, Any]], Iterable[str]]
) -> tuple[str, ...]:
    """What `judge` says of a JSON document; a fault when it is not known, or none."""
    text = first(conf, key)
    if text is None:
        return (Unknown(f"{key} is not known in this plan"),)
    document = _parsed(text)
    return tuple(judge(document)) if isinstance(document, dict) else (f"{key} is no JSON object",)


def manifest(region: Any, plan: Plan) -> contract.Manifest | str:
    """The manifest that the plan writes in a region, or what is wrong with it."""
    parameters = [
        conf
        for conf in plan.all("aws_ssm_parameter")
        if first(conf, "name") == contract.MANIFEST_PARAMETER and first(conf, "region") == region
    ]
    if not parameters:
        return f"the plan writes no manifest in {region}"
    text = first(parameters[0], "insecure_value") or first(parameters[0], "value")
    if not isinstance(text, str):
        return Unknown(f"the manifest of {region} is not known in this plan")
    try:
        return contract.Manifest.from_json(text)
    except ValueError as error:
        return f"the manifest of {region} can't be read: {error}"


def _parsed(text: Any) -> Any:
    """A document from its text; Checkov has parsed some already."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None


def _texts(values: Iterable[Any] | Iterator[Any]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)
