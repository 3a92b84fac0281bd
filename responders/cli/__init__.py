"""The command line: each command parses, asks the library, prints, and exits."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint, entry_points

import typer

from contract import VERSION
from responders.cli import (
    case,
    case_report,
    drill,
    hunt,
    init,
    instance,
    key,
    ready,
    release,
    resume,
    role,
    snapshots,
    support,
    tools,
    trust,
    user,
    vpc,
    workstation,
)
from responders.cli.commands import Commands
from responders.connection import under_way

BEFORE, DURING, AFTER = "Before an incident", "During an incident", "After containment"

app = Commands(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Incident response for AWS: contain with one command, from what was prepared.",
    epilog="Exit codes: 0 done · 1 not contained · 2 bad input, nothing touched · 3 contained, "
    "evidence incomplete · 4 unexpected · 130 interrupted.",
)
app.command(rich_help_panel=DURING)(instance.instance)
app.command(rich_help_panel=DURING)(key.key)
app.command(rich_help_panel=DURING)(user.user)
app.command(rich_help_panel=DURING)(role.role)
app.command(rich_help_panel=DURING)(hunt.hunt)
app.command(rich_help_panel=AFTER)(release.release)
app.command(rich_help_panel=DURING)(resume.resume)
app.command(rich_help_panel=AFTER)(snapshots.snapshots)
app.command(rich_help_panel=BEFORE)(ready.ready)
app.command(rich_help_panel=BEFORE)(drill.drill)
app.command(rich_help_panel=BEFORE)(init.init)
case.app.command()(case_report.report)
app.add_typer(case.app, name="case", rich_help_panel=AFTER)
app.add_typer(support.app, name="support", rich_help_panel=DURING)
app.add_typer(tools.app, name="tools", rich_help_panel=BEFORE)
app.add_typer(trust.app, name="trust", rich_help_panel=BEFORE)
app.add_typer(vpc.app, name="vpc", rich_help_panel=BEFORE)
app.add_typer(workstation.app, name="workstation", rich_help_panel=AFTER)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"cordon {VERSION}")
        raise typer.Exit


@app.callback()
def _top(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Takes the options that belong to no command."""


def main() -> None:
    """The console script. Commands of other parts of the kit are loaded only when called."""
    for entry in entry_points(group="cordon.commands") if len(sys.argv) > 1 else ():
        if entry.name == sys.argv[1]:
            app.add_typer(_load(entry), name=entry.name)
    try:
        app()
    except SystemExit as end:
        _leave(end.code)
        raise


def _leave(code: int | str | None) -> None:
    """Ends the process at once while calls hang: the interpreter would wait for their threads.

    A command ends only when nothing is half done, so what hangs are look-ups.
    """
    if under_way() and isinstance(code, int):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _load(entry: EntryPoint) -> typer.Typer:
    try:
        return entry.load()  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        typer.echo(
            f"cordon: `cordon {entry.name}` needs {error.name}\n"
            f"  → Install it: pipx install --force 'aws-cordon[{entry.name}]'",
            err=True,
        )
        sys.exit(2)
