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
        prop = entry.shape.properties.get(key)
        named = [addresses[urn] for urn in urns if urn in addresses]
        if not named or prop is None:
            continue
        # As Terraform lists references: the attribute first, then the resource that it is of.
        attribute = "arn" if prop.name.endswith("arn") else "id"
        references[prop.name] = tuple(
            text for address in named for text in (f"{address}.{attribute}", address)
        )
        if _is_identity(values.get(prop.name), prop):
            values.pop(prop.name, None)
    return Planned(f"{entry.terraform}.{name}", entry.terraform, name, values, references)


def _takes_tags(shape: Shape) -> bool:
    prop = shape.properties.get("tags")
    return prop is not None and prop.kind is Kind.MAP


def _is_identity(value: Any, prop: Property) -> bool:
    """Whether the value is an id, an ARN or a list of such: not a document, a map or a block."""
    if prop.kind not in (Kind.VALUE, Kind.ONLY):
        return False
    return all(
        isinstance(element, str) and not element.lstrip().startswith(("{", "["))
        for element in (value if isinstance(value, list) else [value])
    )


@dataclass(frozen=True)
class _Mapper:
    """Puts the properties of one resource type in Terraform's words."""

    entry: Mapped
    lenient: bool

    def values(self, inputs: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
        """The arguments of a resource or block."""
        values = {}
        for key, value in inputs.items():
            prop = shape.properties.get(key)
            if prop is not None:
                values[prop.name] = self._value(value, prop)
            elif not self.lenient:
                raise BridgeError(
                    f"{self.entry.token} has no property {key!r} in the bridge's table: add it to "
                    f"[{self.entry.terraform}] in policies/bridge/table/{self.entry.file.name}"
                )
        return values

    def _value(self, value: Any, prop: Property) -> Any:
        match prop.kind, value:
            case Kind.BLOCK | Kind.BLOCKS, list():
                return [self._inside(element, prop) for element in value]
            case Kind.BLOCK | Kind.BLOCKS, _:
                return [self._inside(value, prop)]
            case Kind.ONLY, _ if not isinstance(value, list):
                return [value]
            case Kind.DOCUMENT, dict():
                return json.dumps(value)
            case _:
                return value

    def _inside(self, value: Any, prop: Property) -> Any:
        """One block; a value that was blinded or is no object stays as it is."""
        if prop.inside is None or not isinstance(value, dict):
            return value
        return self.values(value, prop.inside)
