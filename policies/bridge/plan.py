"""A stack as a Terraform plan in JSON, for Checkov's `terraform_plan` runner.

The format: Terraform documentation, "JSON Output Format", `terraform show -json`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.bridge.errors import BridgeError
from policies.bridge.mapper import Planned, planned
from policies.bridge.program import Resource, Stack
from policies.bridge.table import mapped

PROVIDERS = "pulumi:providers:"
"""Type prefix of providers, which are no resources of a plan."""


@dataclass(frozen=True)
class Plan:
    """A stack's plan. `declared` maps each Terraform address to the resource behind it."""

    stack: str
    resources: tuple[Planned, ...]
    declared: Mapping[str, Resource]

    def to_json(self) -> str:
        """Indented JSON, one value a line: Checkov takes line numbers from it."""
        resources = [
            _head(resource) | {"values": dict(resource.values)} for resource in self.resources
        ]
        configuration = [
            _head(resource) | {"expressions": _expressions(resource)} for resource in self.resources
        ]
        document = {
            "format_version": "1.2",
            "terraform_version": "1.9.0",
            "planned_values": {"root_module": {"resources": resources}},
            "configuration": {"root_module": {"resources": configuration}},
        }
        return json.dumps(document, indent=1)


def plan(stack: Stack) -> Plan:
    """The plan of a stack; BridgeError for a type or property that the table doesn't have."""
    declared = _addresses([r for r in stack.resources if _is_planned(r)])
    by_urn = {resource.urn: address for address, resource in declared.items()}
    resources = tuple(
        planned(resource, address.partition(".")[2], by_urn)
        for address, resource in declared.items()
    )
    return Plan(stack.name, resources, declared)


def _is_planned(resource: Resource) -> bool:
    return resource.custom and not resource.type.startswith(PROVIDERS)


def _addresses(resources: list[Resource]) -> dict[str, Resource]:
    """Terraform addresses from Pulumi names; two of a type that would be the same are an error."""
    named = [(f"{mapped(r.type).terraform}.{_name(r.name)}", r) for r in resources]
    twice = [address for address, count in Counter(a for a, _ in named).items() if count > 1]
    if twice:
        raise BridgeError(
            f"two resources would both be {twice[0]}: name them apart by letters, digits, - or _"
        )
    return dict(named)


def _name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _head(resource: Planned) -> dict[str, Any]:
    return {
        "address": resource.address,
        "mode": "managed",
        "type": resource.type,
        "name": resource.name,
    }


def _expressions(resource: Planned) -> dict[str, Any]:
    return {key: {"references": list(names)} for key, names in resource.references.items()}
