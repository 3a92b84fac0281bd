"""Pulumi's resources as the rules read them: in Terraform's words, by the bridge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy.proxy import UnknownValueError

from policies.bridge.errors import BridgeError
from policies.bridge.mapper import Planned, planned
from policies.bridge.program import Resource, known
from policies.bridge.table import mapped
from policies.rules import ADDRESS, REFERENCES, Conf

TypedConf = tuple[Resource, str, Conf]
"""A resource, its Terraform type, and its configuration."""


def plain(value: Any) -> Any:
    """What a policy is handed, without the values that are not known yet."""
    if isinstance(value, Mapping):
        pairs = ((key, _item(value, key)) for key in value)
        return known({key: item for key, item in pairs if item is not None})
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        items = (_item(value, index) for index in range(len(value)))
        return known([item for item in items if item is not None])
    return known(value)


def _item(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return None


def confs(resources: Iterable[Resource]) -> list[TypedConf]:
    """The configurations of those resources whose types the bridge knows."""
    named = {
        resource.urn: (resource, address)
        for resource in resources
        if (address := _address(resource))
    }
    addresses = {urn: address for urn, (_, address) in named.items()}
    configured: list[TypedConf] = []
    for resource, address in named.values():
        mapped = planned(resource, address.partition(".")[2], addresses, lenient=True)
        configured.append((resource, mapped.type, _conf(mapped)))
    return configured


def _address(resource: Resource) -> str | None:
    """A Terraform address of its own: the URN is one. None for a type that the bridge has not."""
    if not resource.type.startswith("aws:"):
        return None
    try:
        return f"{mapped(resource.type).terraform}.{resource.urn}"
    except BridgeError:
        # A pack also sees resources that are not the kit's; there are no rules for them.
        return None


def _conf(mapped: Planned) -> Conf:
    conf = _wrapped(mapped.values)
    for key, references in mapped.references.items():
        conf.setdefault(key, [references[0]])
    conf[REFERENCES] = [list(references) for references in mapped.references.values()]
    conf[ADDRESS] = mapped.address
    return conf


def _wrapped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Each value in a list, blocks too, as Checkov holds a plan."""
    wrapped: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            wrapped[key] = [_wrapped(item) for item in value]
        else:
            wrapped[key] = [value]
    return wrapped
