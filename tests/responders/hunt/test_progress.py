"""How far a hunt is, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from responders.cli import hunt_progress, show
from responders.hunt.chase import Progress


def told(monkeypatch: pytest.MonkeyPatch, *steps: Progress, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, soft_wrap=True, width=200)
    monkeypatch.setattr(show, "err", lambda: console)
    with hunt_progress.shown() as tell:
        for step in steps:
            tell(step)
    return out.getvalue()


def test_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(
        monkeypatch,
        Progress("eu-west-1", 1, 50, 0),
        Progress("eu-west-1", 400, 19_999, 0),
        Progress("eu-west-1", 401, 20_050, 0),
        Progress("eu-west-2", 1, 0, 3),
        Progress("eu-west-2", 1, 0, 2, "AccessDenied: \x1b[2J"),
        Progress("eu-west-2", 1, 0, 1, "AccessDenied: \x1b[2J"),
        Progress("eu-west-1", phase="new"),
        terminal=False,
    )
    assert said.splitlines() == [
        "eu-west-1: 19999 events so far",
        "eu-west-1: 20050 events so far",
        "eu-west-2: AccessDenied: \\x1b[2J",
        "eu-west-1: 20050 events, 401 pages",
    ]


def test_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(
        monkeypatch,
        Progress("eu-west-1", 1, 50, 2),
        Progress("eu-west-2", 1, 7, 1, "AccessDenied"),
        Progress("eu-west-2", 1, 7, 0, "AccessDenied"),
        Progress("eu-west-1", 2, 60, 0),
        Progress("eu-west-1", phase="new"),
        terminal=True,
    )
    assert said.count("eu-west-2: AccessDenied") == 1
    assert "67 events in 2 places" in said
