"""`cordon case`: what the cases on this machine hold, and whether it can be proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.cli.commands import Commands

if TYPE_CHECKING:
    from responders.aws import Access
    from responders.record.case import Case
    from responders.record.vault import Vault

app = Commands(no_args_is_help=True, help="List, show, verify and sync cases.")

Local = Annotated[bool, typer.Option("--local", help="Look only at this machine's copy.")]


@app.command("list")
@boundary
def list_(*, common: shared.Common) -> int:
    """List the cases on this machine."""
    from responders.cli import show
    from responders.record.case import Case, home

    folder = home() / "cases"
    names = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    rows = [_summary(Case(name)) for name in names]
    if common.as_json:
        show.document({"schema": 1, "command": "case list", "cases": rows})
    elif rows:
        show.table(
            ("case", "runs", "unfinished", "targets", "last"),
            [(r["case"], r["runs"], r["unfinished"], r["targets"], r["last"]) for r in rows],
        )
    else:
        show.err().print(show.plain(f"No cases in {folder}."))
    return 0


def _summary(case: Case) -> dict[str, object]:
    runs = case.runs()
    last = runs[-1] if runs else None
    return {
        "case": case.id,
        "runs": len(runs),
        "unfinished": sum(1 for r in runs if r.begin and not r.end),
        "targets": ", ".join(dict.fromkeys(str(r.begin.get("target", "?")) for r in runs)),
        "last": str(last.end.get("outcome", "unfinished")) if last else "",
    }


@app.command()
@boundary
def show(
    case: shared.CaseId,
    local: Annotated[
        bool, typer.Option("--local", help="Don't ask AWS how far the snapshots are.")
    ] = False,
    *,
    common: shared.Common,
) -> int:
    """Show what was done in a case, run by run, and how far its snapshots are."""
    from responders.cli import show as screen
    from responders.errors import BadInput

    found = _case(case)
    runs = found.runs()
    if not runs:
        raise BadInput(f"there is no case {case} on this machine", "See `cordon case list`.")
    snapshots, trouble = ([], "") if local else _snapshots(found, common)
    if common.as_json:
        entries = [{"run": r.name, "entries": [e.body for e in r.entries]} for r in runs]
        document = {"schema": 1, "case": case, "command": "case show", "runs": entries}
        screen.document({**document, "snapshots": snapshots, "snapshots_error": trouble or None})
        return 0
    for run in runs:
        begin, end = run.begin, run.end
        screen.out().print(
            screen.plain(
                f"{begin.get('at', '?')}  {begin.get('command', '?')} {begin.get('target', '?')} "
                f"by {begin.get('responder', '?')} ({begin.get('caller', '?')}): "
                f"{end.get('outcome', 'unfinished')}",
                "bold",
            )
        )
        for entry in run.entries:
            if entry.kind in ("result", "undone", "evidence"):
                what = entry.step or entry.body.get("name")
                word = entry.body.get("status") or entry.kind
                reason = entry.body.get("reason") or ""
                screen.out().print(screen.plain(f"  {what}: {word} {reason}".rstrip()))
    _show_snapshots(snapshots, trouble)
    return 0


def _snapshots(case: Case, common: shared.Common) -> tuple[list[dict[str, Any]], str]:
    """How far they are, and why that is not known where AWS can't be asked."""
    from responders.aws import Aws, explain
    from responders.volumes.follow_up import instances, progress

    if not instances(case):
        return [], ""
    try:
        return progress(Aws(common.access, case=case.id, read_only=True), case), ""
    except Exception as error:
        return [], explain(error)


def _show_snapshots(found: list[dict[str, Any]], trouble: str) -> None:
    from responders.cli import show as screen

    if found:
        screen.out().print(screen.plain("Snapshots", "bold"))
        rows = [
            (
                s["snapshot"],
                s["region"],
                s["state"],
                f"{s['percent']} %",
                s["locked"] or "not locked",
                f"copy of {s['copy_of']}" if s["copy_of"] else s["source"],
            )
            for s in found
        ]
        screen.table(("snapshot", "region", "state", "done", "lock", "of"), rows)
    if trouble:
        screen.err().print(screen.plain(f"The snapshots could not be looked at: {trouble}"))


@app.command()
@boundary
def verify(
    case: shared.CaseId,
    local: Local = False,
    region: shared.Region = None,
    *,
    common: shared.Common,
) -> int:
    """Prove that nothing in a case was changed, removed or reordered, here and in the vault."""
    from responders.cli import show
    from responders.errors import BadInput
    from responders.record import verify as prove

    found = _case(case)
    vault = None if local else _vault(found, common.at(region))
    if not found.runs_on_disk() and vault is None:
        raise BadInput(f"there is no case {case} on this machine", "See `cordon case list`.")
    faults = prove.local_faults(found)
    if vault is not None:
        faults += prove.vault_faults(found, vault)
    proven = "here and in the vault" if vault else "on this machine"
    if common.as_json:
        show.document(
            {
                "schema": 1,
                "case": case,
                "command": "case verify",
                "outcome": "faults" if faults else "verified",
                "vault": vault.bucket if vault else None,
                "faults": faults,
            }
        )
    elif faults:
        for fault in faults:
            show.out().print(show.plain(f"✗ {fault}", "red"))
    else:
        show.out().print(show.plain(f"✓ case {case} verifies {proven}", "green"))
    if vault is None and not local:
        show.err().print(show.plain("No vault was found, so only this machine's copy was judged."))
    if faults:
        return 1
    return 3 if vault is None and not local else 0


@app.command()
@boundary
def sync(
    case: shared.CaseId,
    region: shared.Region = None,
    *,
    common: shared.Common,
) -> int:
    """Send to the vault what it lacks of a case, and fetch what this machine lacks."""
    from responders.cli import show
    from responders.errors import Incomplete
    from responders.record import sync as copy

    found = _case(case)
    vault = _vault(found, common.at(region))
    if vault is None:
        raise Incomplete(
            "no vault is prepared where this case is", "Run `pulumi up`, or give --region."
        )
    sent, fetched = copy.sync(found, vault)
    if common.as_json:
        show.document(
            {
                "schema": 1,
                "case": case,
                "command": "case sync",
                "outcome": "synced",
                "vault": vault.bucket,
                "sent": sent,
                "fetched": fetched,
            }
        )
    else:
        show.out().print(
            show.plain(f"{len(sent)} files sent to and {len(fetched)} fetched from {vault.bucket}")
        )
    return 0


def _case(case: str) -> Case:
    from responders.record.case import Case

    return Case(shared.check_case(case))


def _vault(case: Case, access: Access) -> Vault | None:
    """The vault of the region where the case began; of `--region`, or the home region, else."""
    from responders.aws import Aws
    from responders.record import vault

    aws = Aws(access, case=case.id)
    regions = [str(run.begin["region"]) for run in case.runs() if run.begin.get("region")]
    return vault.find(aws, access.region or next(iter(regions), aws.home_region))
