"""What `--help` shows of every command: flags as flags, and a sentence for each option."""

from __future__ import annotations

import pytest
import typer
from typer.core import TyperGroup, TyperOption

from lab.command import app as lab
from responders.cli import app


def commands() -> dict[str, typer.core.TyperCommand]:
    """Every command that can be called, by the words that call it."""
    listed = {}
    pending = [("cordon", typer.main.get_command(app)), ("cordon lab", typer.main.get_command(lab))]
    while pending:
        words, command = pending.pop()
        if isinstance(command, TyperGroup):
            pending += [(f"{words} {name}", child) for name, child in command.commands.items()]
        else:
            listed[words] = command
    return listed


COMMANDS = commands()


def options(words: str) -> list[TyperOption]:
    command = COMMANDS[words]
    context = typer.Context(command)
    return [p for p in command.get_params(context) if isinstance(p, TyperOption)]


def test_there_are_commands_to_judge() -> None:
    assert {"cordon instance", "cordon case show", "cordon lab serve"} <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_flags_are_shown_without_a_value(words: str) -> None:
    flags = [option for option in options(words) if option.is_bool_flag]
    assert "--help" in {name for flag in flags for name in flag.opts}
    assert {flag.metavar for flag in flags} == {""}
    assert "-h" in COMMANDS[words].context_settings["help_option_names"]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_says_in_a_sentence_what_it_does(words: str) -> None:
    for option in options(words):
        assert option.help, option.opts
        assert option.help.rstrip().endswith("."), option.help
        assert not option.help.startswith("Of "), option.help
