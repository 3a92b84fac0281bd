"""How the kit finds its units: playbooks, checks, policies, mends and commands are all found so.

A family of units is a package, and each of its modules is one unit: the object that the module
holds under the family's name for it (`PLAYBOOK`, `CHECK`, …). To add a unit is to add a file. Names
are listed without importing anything, so that what is not needed is not loaded. Standard library
only.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def names(package: ModuleType) -> tuple[str, ...]:
    """The units of a family, in alphabetical order; none of them is imported."""
    found = pkgutil.iter_modules(package.__path__)
    return tuple(sorted(m.name for m in found if not m.name.startswith("_")))


def load(package: ModuleType, name: str, constant: str, kind: type[T]) -> T:
    """One unit: what its module holds as `constant`.

    TypeError when that is missing or no `kind`: a unit that is not complete must not be passed by.
    """
    module = importlib.import_module(f"{package.__name__}.{name}")
    unit = getattr(module, constant, None)
    if not isinstance(unit, kind):
        raise TypeError(f"{module.__name__} holds no {kind.__name__} as {constant}")
    return unit


def load_all(package: ModuleType, constant: str, kind: type[T]) -> dict[str, T]:
    """Every unit of a family, by name. TypeError when there is none."""
    found = {name: load(package, name, constant, kind) for name in names(package)}
    if not found:
        raise TypeError(f"{package.__name__} holds no unit")
    return found
