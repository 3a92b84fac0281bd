"""Playbooks: which actions, in which order.

A playbook is a module with `locate`, `check` and `steps`. One that contains nothing also has
`judge`, which gives the outcome in place of `responders.outcome.judge_response`.
"""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from responders.action import Options
from responders.aws import Aws
from responders.locate import Located
from responders.record.case import Case
from responders.runner import Step


class Playbook(Protocol):
    """What a module in this package offers."""

    def locate(self, aws: Aws, target: str, region: str | None) -> Located:
        """Finds the one thing that the target means; BadInput or NotContained when it can't."""

    def check(self, aws: Aws, located: Located, options: Options, case: Case) -> None:
        """Raises BadInput when these options can't be carried out on it; nothing was touched."""

    def steps(self, options: Options) -> tuple[Step, ...]:
        """The graph for these options."""


NAMES = ("instance", "key", "user", "role")
"""The playbooks that `cordon release` undoes; each is the command of the same name."""


def playbook(name: str) -> Playbook:
    """The playbook of a command, imported only now."""
    module = name.replace(" ", "_").replace("-", "_")
    return cast(Playbook, importlib.import_module(f"responders.playbooks.{module}"))
