"""IAM permissions, declared beside the code that uses them.

The responder role is generated from these declarations (by the account stack), documented from
them (`docs/permissions.md`), and tested against the calls that the test suite records.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType

from contract import TAG_PURPOSE, Purpose

Condition = Mapping[str, Mapping[str, str | list[str]]]


@dataclass(frozen=True)
class Permission:
    """Some IAM actions on some resources, under some condition.

    `on` holds ARN patterns; `{partition}` and `{account}` stand for the account's own. `because`
    says what the action is for; `risk` what a thief of the responder role could still do with it.
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


def declared() -> tuple[Permission, ...]:
    """Everything the responders' code declares, each once, in the order of modules and classes."""
    found = {repr(p): p for _, permissions in declarations() for p in permissions}
    return tuple(found.values())


def declarations() -> Iterator[tuple[str, tuple[Permission, ...]]]:
    """Who declares what: a module as `PERMISSIONS`, an action as `permissions`.

    Owners are named as people know them: an action by its name, a module by what it is called.
    Commands declare nothing: they only parse and print. The scan of a trail calls nothing by
    itself, and needs libraries that not everybody has.
    """
    for module in _modules():
        if own := getattr(module, "PERMISSIONS", ()):
            yield module.__name__.removeprefix("responders."), own
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                if permissions := getattr(kind, "permissions", ()):
                    yield str(getattr(kind, "name", kind.__name__)), permissions


def _modules() -> Iterator[ModuleType]:
    import responders

    for entry in pkgutil.walk_packages(responders.__path__, f"{responders.__name__}."):
        if not entry.name.startswith(("responders.cli", "responders.hunt.scan.")):
            yield importlib.import_module(entry.name)
