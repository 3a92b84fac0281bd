"""How commands look in help: flags take no value, and `-h` works everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

Function = TypeVar("Function", bound=Callable[..., Any])
HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command whose flags are shown as flags: Typer writes `--dry-run <bool>`, and then refuses
    `--dry-run true`."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters, with an empty type where an option takes no value."""
        return _without_type(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands whose own flags, such as `--help`, are shown as flags."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters, with an empty type where an option takes no value."""
        return _without_type(super().get_params(ctx))


def _without_type(parameters: Any) -> Any:
    for parameter in parameters:
        if isinstance(parameter, TyperOption) and parameter.is_bool_flag:
            parameter.metavar = ""
    return parameters


class Commands(typer.Typer):
    """A Typer application whose commands and groups are of the classes above."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Group, context_settings=HELP_NAMES, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Function], Function]:
        """Registers a command; `settings` as for `typer.Typer.command`."""
        return super().command(name, cls=Command, context_settings=HELP_NAMES, **settings)
