"""IAM permissions, declared beside the code that uses them.

The responder role is generated from these declarations (by the account stack), documented from
them (`docs/permissions.md`), and tested against the calls that the test suite records.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import ModuleType

from contract import TAG_PURPOSE, Purpose

Condition = Mapping[str, Mapping[str, str | list[str]]]


@dataclass(frozen=True)
class Permission:
    """Some IAM actions on some resources, under some condition.

    `on` holds ARN patterns; `{partition}` and `{account}` stand for the account's own, further
    placeholders for what the account is told (see `HEAD` of `permissions_page`). `because` says
    what the action is for; `risk` what a thief of the responder role could still do with it.
    """

    actions: tuple[str, ...]
    on: tuple[str, ...] = ("*",)
    when: Condition = field(default_factory=dict)
    because: str = ""
    risk: str = ""


def allow(
    *actions: str,
    on: str | tuple[str, ...] = ("*",),
    when: Condition | None = None,
    because: str = "",
    risk: str = "",
) -> Permission:
    """Shorthand for `Permission`."""
    return Permission(actions, (on,) if isinstance(on, str) else on, when or {}, because, risk)


def purpose_is(*purposes: Purpose) -> Condition:
    """Condition: what is acted on was prepared for one of these purposes."""
    return {"StringEquals": {f"aws:ResourceTag/{TAG_PURPOSE}": [p.value for p in purposes]}}


def ec2(kind: str) -> str:
    """ARN pattern of this account's EC2 resources of one kind, such as `network-interface`."""
    return f"arn:{{partition}}:ec2:*:{{account}}:{kind}/*"


def together(*conditions: Condition) -> Condition:
    """All of these conditions at once; the later wins where two test the same key alike."""
    merged: dict[str, dict[str, str | list[str]]] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            merged.setdefault(operator, {}).update(keys)
    return merged


def only_tags(*keys: str) -> Condition:
    """Condition: the call names tags, and no others than these.

    `ForAllValues` also holds for a call that names none, and DeleteTags then deletes every tag
    (IAM user guide, "Multivalued context keys"): so the key has to be there.
    """
    return {
        "ForAllValues:StringEquals": {"aws:TagKeys": list(keys)},
        "Null": {"aws:TagKeys": "false"},
    }


def declared() -> tuple[Permission, ...]:
    """Everything the responders' code declares, each once, in the order of modules and classes."""
    found = {repr(p): p for _, permissions in declarations() for p in permissions}
    return tuple(found.values())


class Duty(StrEnum):
    """What permissions are for. The responder role has policies of its own for each."""

    CONTAIN = "contain"
    PRESERVE = "preserve"
    EXAMINE = "examine"


_EXAMINE = (
    "actions.attach_",
    "actions.close_",
    "actions.delete_volumes",
    "actions.hash_",
    "actions.mount_",
    "actions.open_",
    "actions.restore_",
    "actions.write_support",
    "hunt",
    "readiness",
    "support",
    "volumes.images",
    "volumes.workstation",
)
_PRESERVE = (
    "actions.copy_",
    "actions.hibernate",
    "actions.lock_",
    "actions.memory",
    "actions.record_",
    "actions.share_",
    "actions.snapshot",
    "actions.volatile",
    "host",
    "record",
    "volumes",
)
"""How the names of the modules begin that serve each duty; all others contain."""


def duty_of(module: str) -> Duty:
    """The duty of a module, by its name without `responders.`."""
    if module.startswith(_EXAMINE):
        return Duty.EXAMINE
    return Duty.PRESERVE if module.startswith(_PRESERVE) else Duty.CONTAIN


def by_duty() -> dict[Duty, tuple[Permission, ...]]:
    """Everything declared, once, under the first duty in order that needs it."""
    permissions: dict[Duty, dict[str, Permission]] = {duty: {} for duty in Duty}
    declared_anywhere = [(duty_of(m), p) for m, _, some in _owners() for p in some]
    for duty in Duty:
        for owner, permission in declared_anywhere:
            known = any(repr(permission) in listed for listed in permissions.values())
            if owner is duty and not known:
                permissions[duty][repr(permission)] = permission
    return {duty: tuple(listed.values()) for duty, listed in permissions.items()}


def declarations() -> Iterator[tuple[str, tuple[Permission, ...]]]:
    """Who declares what: a module as `PERMISSIONS`, an action as `permissions`.

    Owners are named as people know them: an action by its name, a module by what it is called.
    Commands declare nothing: they only parse and print. The scan of a trail calls nothing by
    itself, and needs libraries that not everybody has.
    """
    for _, owner, permissions in _owners():
        yield owner, permissions


def _owners() -> Iterator[tuple[str, str, tuple[Permission, ...]]]:
    """Module, owner and permissions of each declaration."""
    for module in _modules():
        name = module.__name__.removeprefix("responders.")
        if own := getattr(module, "PERMISSIONS", ()):
            yield name, name, own
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                if permissions := getattr(kind, "permissions", ()):
                    yield name, str(getattr(kind, "name", kind.__name__)), permissions


def _modules() -> Iterator[ModuleType]:
    import responders

    for entry in pkgutil.walk_packages(responders.__path__, f"{responders.__name__}."):
        if not entry.name.startswith(("responders.cli", "responders.hunt.scan.")):
            yield importlib.import_module(entry.name)
