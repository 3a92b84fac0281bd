"""`cordon lab`: an AWS account on this machine, and an incident in it."""

from __future__ import annotations

import gc
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from responders.cli.commands import Commands

if TYPE_CHECKING:
    from lab.account import Account

app = Commands(
    invoke_without_command=True,
    no_args_is_help=False,
    help="An AWS account on your own machine: moto, mended, prepared by the real Pulumi program.",
)


@app.callback()
def _lab(context: typer.Context) -> None:
    """Runs the story when no command is named."""
    # A full collection over the models of botocore takes half a second, and frees nothing.
    gc.set_threshold(200_000, 50, 1000)
    if context.invoked_subcommand is None:
        run()


Regions = Annotated[
    str,
    typer.Option(
        metavar="REGION,REGION",
        help="Regions that are enabled in the account. Default: the 17 that are so by default.",
    ),
]


@app.command()
def run(regions: Regions = "") -> None:
    """Prepare, contain and release an instance, and check each step through the API."""
    from lab.account import account
    from lab.story import chapters

    out, started = Console(highlight=False, soft_wrap=True), time.monotonic()
    false = 0
    with account(regions=_names(regions)) as lab:
        out.print(Text("An AWS account at ") + Text(lab.server.endpoint, "bold"))
        for chapter in chapters(lab, lambda line: out.print(Text(f"  {line}", "dim"))):
            out.print(Text(chapter.title, "bold"))
            for claim in chapter.claims:
                mark, style = ("✓", "green") if claim.holds else ("✗", "bold red")
                out.print(
                    Text(f"  {mark} ", style) + Text(claim.text, "" if claim.holds else style)
                )
                false += not claim.holds
    took = time.monotonic() - started
    if false:
        out.print(Text(f"{false} of these are not so ({took:.0f} s).", "bold red"))
        raise typer.Exit(1)
    out.print(Text(f"All of it is so, read back from the API ({took:.0f} s).", "bold green"))


@app.command()
def serve(
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="Port on 127.0.0.1 to listen on. 0: any free port.",
        ),
    ] = 0,
    empty: Annotated[
        bool,
        typer.Option(
            "--empty",
            help="Leave the account empty: nothing is prepared and no incident is staged.",
        ),
    ] = False,
    prepared_only: Annotated[
        bool, typer.Option("--prepared-only", help="Prepare the account, but stage no incident.")
    ] = False,
    leaked_key: Annotated[
        bool, typer.Option("--leaked-key", help="Also stage the incident of a leaked access key.")
    ] = False,
    regions: Regions = "",
) -> None:
    """Run the account until Ctrl-C. One line of JSON on stdout says how to reach it.

    `env` has what a responder exports. To run the real `pulumi preview`, `up`, `refresh` or
    `destroy` against the account, start it with --empty, export `pulumi.env` and put `pulumi.path`
    first on PATH: a stand-in for the AWS plugin is there, which works with this account only.
    """
    from lab.account import account

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as running:
        try:
            names = _names(regions, staged=not (empty or prepared_only))
            lab = running.enter_context(account(port, names))
        except OSError as error:
            typer.echo(f"cordon: port {port} can't be used: {error.strerror}", err=True)
            raise typer.Exit(2) from error
        announcement = _announce(lab, empty=empty, staged=not prepared_only, leaked_key=leaked_key)
        announcement["pulumi"] = running.enter_context(_for_pulumi(lab))
        sys.stdout.write(json.dumps(announcement) + "\n")
        sys.stdout.flush()
        stop.wait()


@contextmanager
def _for_pulumi(lab: Account) -> Iterator[dict[str, Any]]:
    """What the `pulumi` CLI needs until the block ends: the owner's environment, and the plugin."""
    from tempfile import TemporaryDirectory

    from lab.plugin.serving import install

    with TemporaryDirectory(prefix="cordon-lab-") as folder:
        install(Path(folder))
        yield {"path": folder, "env": dict(lab.server.env)}


def _names(text: str, *, staged: bool = True) -> list[str]:
    """The regions of an option; those where something is staged must be among them."""
    from lab.server import HOME_REGION
    from lab.story import SECOND_REGION, WORKLOAD_REGION

    names = [name.strip() for name in text.split(",") if name.strip()]
    needed = {HOME_REGION, *((WORKLOAD_REGION, SECOND_REGION) if staged else ())}
    if names and needed - set(names):
        missing = ", ".join(sorted(needed - set(names)))
        raise typer.BadParameter(f"add {missing}: the lab needs it")
    return names


def _announce(lab: Account, *, empty: bool, staged: bool, leaked_key: bool) -> dict[str, Any]:
    """What the JSON line says, when all of it is so."""
    from dataclasses import asdict

    from lab.scenarios.leaked_key import play
    from lab.story import Staged

    announcement: dict[str, Any] = {
        "endpoint": lab.server.endpoint,
        "env": dict(lab.env),
        "prepared": None,
        "staged": None,
        "leaked_key": None,
    }
    places = Staged.places(lab) if staged and not empty else None
    if not empty:
        announcement["prepared"] = dict(lab.prepare().exports)
    if places is not None:
        incident = Staged.on(lab, places)
        announcement["staged"] = {
            "workload": asdict(incident.workload),
            "bystander": asdict(incident.bystander),
        }
    if leaked_key:
        announcement["leaked_key"] = asdict(play(lab.server.endpoint))
    return announcement
