"""Cordon's own Checkov policies, one per file, and what they share.

A policy is a module with one `check`: a `Policy` with a judging function. The function gets the
resource's configuration and the whole plan; it returns what is wrong (nothing: the resource
passes), or None when the rule is not about this resource. What it can't know it must report as
wrong, never pass over.

Checkov imports these files in an environment of its own: standard library, checkov and `contract`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

import contract

Conf = Mapping[str, Any]
"""A resource's configuration as Checkov holds it: each value in a list of one."""
ADDRESS = "__address__"
REFERENCES = "references_"
MARKS = ("start_line", "end_line")
"""Line numbers, which Checkov puts among a map's keys; others of its own begin with `__`."""


class Plan:
    """The other resources of the plan that a policy may need to look at."""

    def __init__(self, graph: Any) -> None:
        self._nodes = [attributes for _, attributes in graph.nodes()]

    def all(self, kind: str) -> list[Conf]:
        """The configurations of all resources of a Terraform type."""
        return [
            conf
            for node in self._nodes
            if node.get("resource_type") == kind
            for conf in node["config_"][kind].values()
        ]

    def pointing(self, kind: str, key: str, target: Conf, *literals: str) -> list[Conf]:
        """Those of a type whose argument `key` names `target`, by reference or by these values."""
        return [one for one in self.all(kind) if points(first(one, key), target, *literals)]


def points(value: Any, target: Conf, *literals: str) -> bool:
    """Whether a value is a reference to `target`, or one of these literal values of it."""
    address = target[ADDRESS]
    return any(
        one == address or str(one).startswith(f"{address}.") or (one in literals and one)
        for one in contract.as_list(value)
    )


Judge = Callable[[Conf, Plan], Iterable[str] | None]


class Policy(BaseResourceCheck):  # type: ignore[misc]
    """A rule about resources of some types (`aws_*`: of all), in words that state the good."""

    def __init__(
        self, identifier: str, rule: str, kinds: Sequence[str], category: str, judge: Judge
    ) -> None:
        self._judge = judge
        super().__init__(
            name=rule,
            id=identifier,
            categories=[CheckCategories[category]],
            supported_resources=list(kinds),
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> Any:
        """Checkov's question; what is wrong goes into the report as details."""
        faults = self._judge(conf, Plan(self.graph))
        if faults is None:
            return CheckResult.UNKNOWN
        self.details = list(faults)
        return CheckResult.FAILED if self.details else CheckResult.PASSED


def first(conf: Conf, key: str) -> Any:
    """An argument's value; None when it isn't set."""
    values = conf.get(key)
    return values[0] if isinstance(values, list) and values else None


def blocks(conf: Conf, key: str) -> list[Conf]:
    """The nested blocks of one name."""
    return [one for one in conf.get(key) or [] if isinstance(one, dict)]


def block(conf: Conf, *path: str) -> Conf:
    """The block at the end of a path of single blocks; empty when there is none."""
    for key in path:
        conf = next(iter(blocks(conf, key)), {})
    return conf


def tags(conf: Conf) -> dict[str, Any]:
    """The resource's tags, as they are in the program."""
    found = first(conf, "tags") or {}
    return {k: v for k, v in found.items() if not k.startswith("__") and k not in MARKS}


def purpose(conf: Conf) -> str:
    """The kit's purpose of a resource; empty for what the kit did not prepare."""
    return str(tags(conf).get(contract.TAG_PURPOSE, ""))


def manifest(region: str | None, plan: Plan) -> contract.Manifest | None:
    """The manifest that the plan writes in a region; None when there is none, or it isn't known."""
    for one in plan.all("aws_ssm_parameter"):
        text = first(one, "insecure_value") or first(one, "value")
        here = first(one, "region") == region
        if first(one, "name") == contract.MANIFEST_PARAMETER and here and isinstance(text, str):
            return contract.Manifest.from_json(text)
    return None


def document(conf: Conf, key: str) -> dict[str, Any] | None:
    """A JSON document; None when the plan does not know it, or it is no JSON object."""
    found = first(conf, key)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return None
    return found if isinstance(found, dict) else None
