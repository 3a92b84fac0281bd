"""One Pulumi resource as a Terraform one: names, blocks, plurals, references."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.bridge.errors import BridgeError
from policies.bridge.program import Resource
from policies.bridge.table import Kind, Mapped, Property, Shape, mapped


@dataclass(frozen=True)
class Planned:
    """A resource in Terraform's words. `references` maps an argument to what it refers to."""

    address: str
    type: str
    name: str
    values: Mapping[str, Any]
    references: Mapping[str, tuple[str, ...]]


def planned(
    resource: Resource, name: str, addresses: Mapping[str, str], *, lenient: bool = False
) -> Planned:
    """`resource` under the Terraform name `name`; `addresses` maps URNs to Terraform addresses.

    An argument that is nothing but the identity of another resource is left out of the values, as
    in a plan made before that resource exists; what Checkov then reads is the reference.
    BridgeError for a type that the table doesn't have, or a property, unless `lenient`: what a
    deployed resource answers has more properties than can be set.
    """
    entry = mapped(resource.type)
    values = _Mapper(entry, lenient).values(resource.inputs, entry.shape)
    if _takes_tags(entry.shape):
        # As in a real plan: not set, but there to be judged.
        values.setdefault("tags", None)
    references: dict[str, tuple[str, ...]] = {}
    for key, urns in resource.property_dependencies.items():
        found = entry.shape.properties.get(key)
        named = [addresses[urn] for urn in urns if urn in addresses]
        if not named or found is None:
            continue
        attribute = "arn" if found.name.endswith("arn") else "id"
        references[found.name] = tuple(
            text for address in named for text in (f"{address}.{attribute}", address)
        )
        if _is_identity(values.get(found.name), found):
            values.pop(found.name, None)
    return Planned(f"{entry.terraform}.{name}", entry.terraform, name, values, references)


def _takes_tags(shape: Shape) -> bool:
    found = shape.properties.get("tags")
    return found is not None and found.kind is Kind.MAP


def _is_identity(value: Any, found: Property) -> bool:
    """Whether the value is an id, an ARN or a list of such: not a document, a map or a block."""
    if found.kind not in (Kind.VALUE, Kind.ONLY):
        return False
    return all(
        isinstance(one, str) and not one.lstrip().startswith(("{", "["))
        for one in (value if isinstance(value, list) else [value])
    )


@dataclass(frozen=True)
class _Mapper:
    """Puts the properties of one resource type in Terraform's words."""

    entry: Mapped
    lenient: bool

    def values(self, given: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
        """The arguments of a resource or block."""
        values = {}
        for key, value in given.items():
            found = shape.properties.get(key)
            if found is not None:
                values[found.name] = self._value(value, found)
            elif not self.lenient:
                raise BridgeError(
                    f"{self.entry.token} has no property {key!r} in the bridge's table: add it to "
                    f"[{self.entry.terraform}] in policies/bridge/table/{self.entry.file.name}"
                )
        return values

    def _value(self, value: Any, found: Property) -> Any:
        match found.kind, value:
            case Kind.BLOCK | Kind.BLOCKS, list():
                return [self._inside(one, found) for one in value]
            case Kind.BLOCK | Kind.BLOCKS, _:
                return [self._inside(value, found)]
            case Kind.ONLY, _ if not isinstance(value, list):
                return [value]
            case Kind.DOCUMENT, dict():
                return json.dumps(value)
            case _:
                return value

    def _inside(self, value: Any, found: Property) -> Any:
        """One block; a value that was blinded or is no object stays as it is."""
        if found.inside is None or not isinstance(value, dict):
            return value
        return self.values(value, found.inside)
