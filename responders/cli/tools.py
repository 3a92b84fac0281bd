"""`cordon tools`: the capture tools that hosts fetch from the vault."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.cli.commands import Commands

if TYPE_CHECKING:
    from responders.record.vault import Vault

app = Commands(no_args_is_help=True, help="Stage capture tools in the vault, and list them.")


@app.command()
@boundary
def stage(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Capture tool on this machine to upload.")
    ],
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Name that hosts look for: avml-x86_64, avml-arm64, winpmem.exe or "
            "lime-<uname -r>.ko. Default: the name of the file.",
        ),
    ] = "",
    sha256: Annotated[
        str,
        typer.Option(
            "--sha256",
            metavar="HEX",
            help="Expected SHA-256 of the file. A file with another one is refused.",
        ),
    ] = "",
    region: shared.VaultRegion = None,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Upload a capture tool into the vault under its SHA-256. Hosts run no other tool."""
    from responders.cli import show
    from responders.record import capture_tools

    tool = capture_tools.read(file, name, sha256)
    there = capture_tools.is_staged(_vault(region, common, read_only=dry_run), tool)
    if not there and not dry_run:
        capture_tools.stage(_vault(region, common), tool)
    outcome = "already-staged" if there else "planned" if dry_run else "staged"
    if common.as_json:
        document = {"schema": 1, "command": "tools stage", "outcome": outcome}
        show.document({**document, "name": tool.name, "sha256": tool.sha256})
    else:
        word = outcome.replace("-", " ")
        show.out().print(show.plain(f"{word}: {tool.name}, SHA-256 {tool.sha256}"))
    return 0


@app.command("list")
@boundary
def list_(region: shared.VaultRegion = None, *, common: shared.Common) -> int:
    """List the capture tools that are staged in the vault, the newest first."""
    from responders.cli import show
    from responders.record import capture_tools

    found = capture_tools.staged(_vault(region, common, read_only=True))
    if common.as_json:
        rows = [{"name": t.name, "sha256": t.sha256, "stored": str(t.stored)} for t in found]
        show.document({"schema": 1, "command": "tools list", "tools": rows})
    elif found:
        rows_ = [(t.name, t.sha256, f"{t.stored:%Y-%m-%d}") for t in found]
        show.table(("name", "sha256", "stored"), rows_)
    else:
        show.err().print(show.plain("No tools are staged: see `cordon tools stage --help`."))
    return 0


def _vault(region: str | None, common: shared.Common, *, read_only: bool = False) -> Vault:
    from responders.aws import Aws
    from responders.errors import BadInput
    from responders.record import vault

    aws = Aws(common.at(region), read_only=read_only)
    found = vault.find(aws, aws.home_region)
    if found is None:
        raise BadInput(
            f"no vault is prepared in {aws.home_region}", "Run `pulumi up`, or give --region."
        )
    return found
