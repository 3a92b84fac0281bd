"""The order of a response: steps that wait for other steps, and nothing that can't come to an end.

A step names those it waits for by the class of their action, so that a misspelt one is no name at
all: the type checker and the import both refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Generic, overload

from responders.action import Action, AnyAction, SubjectT_contra

Waits = Mapping[type[AnyAction], float | None]
"""An action to the longest wait for it in seconds; None: until it has ended."""


@dataclass(frozen=True)
class Step(Generic[SubjectT_contra]):
    """An action and its place in the graph.

    `after`: an action and the longest wait for it. None: starts once that one has ended, however it
    ended, and looks anew if it changed something. Seconds: starts once that one has acted, or so
    long after the response began. `needs`: runs only if these hold. Actions that are not in the
    graph don't count: options leave some out. `recheck`: looked at once more at the end, and done
    again if it no longer holds. `closes`: runs even if the user interrupts, and even if the record
    can't be written any more, once that action has begun to act: what it opened must not stay open.
    """

    action: Action[SubjectT_contra]
    after: Waits = field(default_factory=dict)
    needs: tuple[type[AnyAction], ...] = ()
    recheck: bool = False
    closes: type[AnyAction] | None = None

    @property
    def name(self) -> str:
        """The action's name."""
        return self.action.name

    @property
    def waits(self) -> dict[str, float | None]:
        """By name, what it waits for and how long at most; what it needs is waited out."""
        return {
            _name(action): limit
            for action, limit in {**dict.fromkeys(self.needs), **self.after}.items()
        }

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of what must hold before it runs."""
        return tuple(_name(action) for action in self.needs)


AnyStep = Step[Any]


class Graph(Sequence[AnyStep]):
    """Steps in the order in which release undoes them backwards.

    ValueError when two steps have one action, when one waits for something that is no action, or
    when steps wait for each other in a circle: such a response would hang, or do less than it says.
    """

    def __init__(self, steps: Iterable[AnyStep]) -> None:
        self._steps = tuple(steps)
        names = [step.name for step in self._steps]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the graph has two steps {', '.join(twice)}")
        try:
            TopologicalSorter({step.name: step.waits for step in self._steps}).prepare()
        except CycleError as error:
            circle = ", ".join(error.args[1])
            raise ValueError(f"steps of the graph wait for each other: {circle}") from error

    @overload
    def __getitem__(self, index: int) -> AnyStep: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[AnyStep]: ...
    def __getitem__(self, index: int | slice) -> AnyStep | Sequence[AnyStep]:
        return self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)


def _name(action: type[AnyAction]) -> str:
    """An action's name; ValueError for what is no action, or an action that was never named."""
    name = getattr(action, "name", None)
    if not (isinstance(action, type) and issubclass(action, Action) and isinstance(name, str)):
        raise ValueError(f"{action!r} is no action that a step could wait for")
    return name
