"""Progress bars: on stderr, only on a terminal, never in the way of talk or answers."""

from __future__ import annotations

import io
import sys

import pytest

from responders.action import unwatched
from responders.cli import show
from responders.cli.watching import watching


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_no_terminal_no_bars(capsys: pytest.CaptureFixture[str]) -> None:
    with watching() as watch:
        assert watch is unwatched
        watch("copying snapshots", 0.5)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_bars_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with watching() as watch:
        watch("copying [bold]snapshots[/bold]\x1b[2J", 0.25)
        watch("waiting for the agent", None)
        show.err().print(show.plain("  ✓ tag done"))
        watch("copying [bold]snapshots[/bold]\x1b[2J", 0.5)
    shown = terminal.getvalue()
    assert "copying [bold]snapshots[/bold]\\x1b[2J" in shown
    assert "50 %" in shown
    assert "waiting for the agent" in shown
    assert "✓ tag done" in shown
    assert "\x1b[2J" not in shown
    assert capsys.readouterr().out == ""
    assert show.err().file is terminal  # and talk is where it was before


def test_an_error_ends_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(KeyboardInterrupt), watching():
        raise KeyboardInterrupt
    monkeypatch.setattr(sys, "stderr", other := io.StringIO())
    show.err().print("talk")
    assert "talk" in other.getvalue()
