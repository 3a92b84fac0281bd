"""The security groups of a target, before and after, as one SVG drawing."""

from __future__ import annotations

from dataclasses import dataclass

from responders.case_report.model import Interface, Target

WIDTH, BOX, GAP = 720, 46, 14
LEFT, MIDDLE, RIGHT = 10, 270, 500
BOX_WIDTH = 210
MOST_LETTERS = 26
"""Letters of the monospaced font that fit into a box."""


@dataclass(frozen=True)
class Row:
    """One interface: y of its boxes, and the two lines of text of each."""

    y: int
    interface: tuple[str, str]
    before: tuple[str, str]
    after: tuple[str, str]
    was_open: bool


def rows(target: Target) -> list[Row]:
    """The rows of the drawing, one for each interface."""
    return [_row(number, interface) for number, interface in enumerate(target.interfaces)]


def height(target: Target) -> int:
    """The drawing's height in pixels."""
    return 30 + len(target.interfaces) * (BOX + GAP)


def _row(number: int, interface: Interface) -> Row:
    return Row(
        30 + number * (BOX + GAP),
        (interface.id, interface.addresses[0] if interface.addresses else ""),
        _lines(interface.before),
        _lines(interface.after or interface.before),
        any("0.0.0.0/0" in rule or "::/0" in rule for rule in interface.before_rules),
    )


def _lines(groups: tuple[str, ...]) -> tuple[str, str]:
    """The first group's id and name; that there are more is said in place of the name."""
    if not groups:
        return "no group", ""
    identifier, _, name = groups[0].partition(" ")
    name_or_count = f"and {len(groups) - 1} more" if len(groups) > 1 else name
    return cut(identifier), cut(name_or_count)


def cut(text: str) -> str:
    """Text that fits into a box, with an ellipsis where it was cut."""
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
