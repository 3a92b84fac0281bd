"""`cordon trust`: what was prepared, kept on this machine, so that nobody else can say it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.cli.commands import Commands

if TYPE_CHECKING:
    from contract import TrustDocument

app = Commands(
    no_args_is_help=True,
    help="Keep what `pulumi up` made on this machine, and compare an account with it.",
)
AccountId = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="ID",
        help="Account whose document is meant. Default: the account of the credentials.",
    ),
]


@app.command("import")
@boundary
def import_(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="File with the trust document that the stack exports."),
    ] = None,
    from_stack_output: Annotated[
        bool,
        typer.Option(
            "--from-stack-output",
            help="Read the document from `pulumi stack output` instead of a file.",
        ),
    ] = False,
    stack: Annotated[
        str,
        typer.Option(
            "--stack",
            metavar="NAME",
            help="With --from-stack-output: name of the stack. Default: the selected stack.",
        ),
    ] = "",
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory",
            metavar="DIR",
            help="With --from-stack-output: folder of Pulumi.yaml. Default: the current folder.",
        ),
    ] = None,
    digest: Annotated[
        str,
        typer.Option(
            "--digest",
            metavar="HEX",
            help="Expected SHA-256 of the document. A document with another one is refused.",
        ),
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the document that is kept for this account.")
    ] = False,
    *,
    common: shared.Common,
) -> int:
    """Keep a trust document. From then on whatever differs in its account is tampering.

    With it, a response uses only what the document names. Without one it believes the account's
    regions where they agree, and leaves out SSH, foreign vaults and foreign accounts.
    """
    from responders.cli import show
    from responders.errors import BadInput
    from responders.trust import pin, source

    if (file is None) is not from_stack_output:
        raise BadInput("give either FILE or --from-stack-output", "See `cordon trust --help`.")
    document = (
        source.from_file(file, digest)
        if file is not None
        else source.from_stack(stack, directory, digest)
    )
    outcome = "pinned" if pin.keep(document, replace=replace) else "already-pinned"
    if common.as_json:
        show.document(
            {
                "schema": 1,
                "command": "trust import",
                "outcome": outcome,
                "account": document.account,
                "digest": document.digest,
                "regions": sorted(document.regions),
                "file": str(pin.file_of(document.account)),
            }
        )
    else:
        word = "already pinned" if outcome == "already-pinned" else "pinned"
        told = f"{word}: account {document.account}, {len(document.regions)} regions"
        show.out().print(show.plain(f"{told}, digest {document.digest}"))
    return 0


@app.command("show")
@boundary
def show_(account: AccountId = None, *, common: shared.Common) -> int:
    """Show the trust document that is kept for an account."""
    import json

    from responders.cli import show

    document = _kept(account, common)
    if common.as_json:
        kept = json.loads(document.to_json())
        show.document(
            {"schema": 1, "command": "trust show", "digest": document.digest, "document": kept}
        )
        return 0
    from responders.trust.check import claim_of

    vault = claim_of(document)
    rows = [
        ("account", document.account),
        ("digest", document.digest),
        ("vault", f"{vault.bucket} of account {vault.owner}" if vault.bucket else "none"),
        *((f"who assumes {role}", ", ".join(who)) for role, who in document.people.items()),
    ]
    for region, kept in document.regions.items():
        manifest = kept.manifest
        said = [f"key {manifest.key_arn or 'none'}", f"groups in {len(kept.groups)} VPCs"]
        said.append(f"SSH from {', '.join(manifest.responder_cidrs) or 'nowhere'}")
        said.append(f"evidence examined by account {manifest.forensic_account}")
        rows.append((region, "; ".join(said)))
    show.table(("what", "pinned"), rows)
    return 0


@app.command()
@boundary
def check(account: AccountId = None, *, common: shared.Common) -> int:
    """Compare the account with its trust document, in every region; change nothing."""
    from responders.aws import Aws
    from responders.cli import show
    from responders.errors import BadInput
    from responders.trust import check as comparing

    document = _kept(account, common)
    aws = Aws(common.access, read_only=True)
    if aws.identity.account != document.account:
        raise BadInput(
            f"these credentials are for account {aws.identity.account}, and the document for "
            f"{document.account}",
            "Use credentials of that account, or leave out --account.",
        )
    found = comparing.check(aws, document)
    outcome = "differs" if found else "as-pinned"
    if common.as_json:
        lines = [
            {
                "region": d.region,
                "detail": d.detail,
                "status": "unknown" if d.unknown else "differs",
            }
            for d in found
        ]
        show.document(
            {
                "schema": 1,
                "command": "trust check",
                "outcome": outcome,
                "account": document.account,
                "digest": document.digest,
                "differences": lines,
            }
        )
    else:
        if found:
            show.table(("region", "what"), [(d.region, d.detail) for d in found])
        word = ("DIFFERS", "bold red") if found else ("AS PINNED", "bold green")
        told = f": {len(found)} differences" if found else f": digest {document.digest}"
        show.out().print(show.plain(*word) + show.plain(told))
        if found:
            advice = (
                "If `pulumi up` was run since, import its new document; what it did not write, "
                "`pulumi up --refresh` puts right. Find out who changed it (`cordon hunt --since`)."
            )
            show.err().print(show.plain(advice))
    return 1 if found else 0


def _kept(account: str | None, common: shared.Common) -> TrustDocument:
    from responders.aws import Aws
    from responders.errors import BadInput
    from responders.trust import pin

    chosen = account or Aws(common.access, read_only=True).identity.account
    document = pin.read(chosen)
    if document is None:
        known = ", ".join(pin.accounts())
        raise BadInput(
            f"no trust document is kept for account {chosen}"
            + (f" (there are some for {known})" if known else ""),
            "`cordon trust import --from-stack-output` keeps one.",
        )
    return document
