"""`cordon init`: a Pulumi project in a folder of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from responders.errors import CordonError


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write into; created if need be.")
    ],
) -> None:
    """Write a Pulumi project that prepares accounts with this package. No AWS call is made."""
    from responders import project

    try:
        written = project.create(directory)
    except CordonError as error:
        typer.echo(f"cordon: {error.message}\n  → {error.advice}", err=True)
        sys.exit(error.exit_code)
    for path in written:
        typer.echo(str(path))
    typer.echo(
        f"""Next:
  cd {directory}
  cp stacks/Pulumi.example.yaml stacks/Pulumi.main.yaml    # every setting is explained there
  pulumi install
  pulumi stack init main
  pulumi preview --stack main""",
        err=True,
    )
