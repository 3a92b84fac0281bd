"""What became of a step: a union, read with `match`. Not done is a result with a reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """Changed, looked at again, and it holds."""

    note: str = ""


@dataclass(frozen=True)
class AlreadyInPlace:
    """Looked at, and there was nothing to change."""


@dataclass(frozen=True)
class Planned:
    """A dry run saw that there is something to change, and did not."""

    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """Does not apply here; `incomplete` when it was wanted and could not be done."""

    reason: str
    incomplete: bool = False


@dataclass(frozen=True)
class Failed:
    """Tried, and it does not hold. `left_undone` names what is not as it should be."""

    error: str
    left_undone: tuple[str, ...] = ()


Result = Done | AlreadyInPlace | Planned | Skipped | Failed


def status_of(result: Result) -> str:
    """The word for a result in the JSON document and the journal."""
    match result:
        case Done():
            return "done"
        case AlreadyInPlace():
            return "already"
        case Planned():
            return "planned"
        case Skipped():
            return "skipped"
        case Failed():
            return "failed"


def reason_of(result: Result) -> str | None:
    """Why, where there is a why."""
    match result:
        case Skipped(reason=reason):
            return reason
        case Failed(error, left):
            return "; ".join([error, *(f"left undone: {item}" for item in left)])
        case Planned(lacks):
            return "; ".join(lacks) or None
        case Done(note):
            return note or None
        case _:
            return None


def holds(result: Result) -> bool:
    """Whether what the step is for is now so."""
    return isinstance(result, Done | AlreadyInPlace)
