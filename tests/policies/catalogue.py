"""The examples of every policy, as the files in `examples/` hold them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from policies.bridge.program import Resource
from policies.gate.__main__ import POLICIES

NAMES = sorted(file.stem for file in POLICIES.glob("*.py") if file.stem != "__init__")


@dataclass(frozen=True)
class Example:
    """One program for one policy. `said`: what the policy must say of it, empty for nothing."""

    policy: str
    kind: str
    number: int
    resources: Sequence[Resource]
    said: str = ""

    @property
    def stack(self) -> str:
        return f"{self.policy}-{self.kind}-{self.number}"


def module(name: str) -> ModuleType:
    """A policy's examples."""
    return importlib.import_module(f"tests.policies.examples.{name}")


def examples(name: str) -> list[Example]:
    """All examples of a policy."""
    found = module(name)
    good = [Example(name, "good", n, one) for n, one in enumerate(found.GOOD)]
    bad = [Example(name, "bad", n, one, said) for n, (said, one) in enumerate(found.BAD)]
    other = enumerate(getattr(found, "OTHER", []))
    return [*good, *bad, *(Example(name, "other", n, one) for n, one in other)]


ALL = [example for name in NAMES for example in examples(name)]
