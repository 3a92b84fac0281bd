"""`cordon case`: what the cases on this machine hold, and whether it can be proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.cli.commands import Commands
from responders.json_values import JsonObject

if TYPE_CHECKING:
    from responders.aws import Access
    from responders.record.case import Case
    from responders.record.vault import Vault

app = Commands(no_args_is_help=True, help="List, show, verify and sync cases.")

Local = Annotated[bool, typer.Option("--local", help="Look only at this machine's copy.")]


@app.command("list")
@boundary
def list_(*, common: shared.Common) -> int:
    """List the cases on this machine, with what is damaged in their records."""
    from responders.cli import show
    from responders.record.case import cases_here, home

    cases, strangers = cases_here()
    rows = [_summary(case) for case in cases]
    if common.as_json:
        show.document({"schema": 1, "command": "case list", "cases": rows, "others": strangers})
        return 0
    if rows:
        columns = ("case", "runs", "unfinished", "targets", "last")
        show.table(columns, [tuple(row[column] for column in columns) for row in rows])
    else:
        show.err().print(show.plain(f"No cases in {home() / 'cases'}."))
    for case in cases:
        _warn_of_damage(case)
    for name in strangers:
        show.err().print(show.plain(f"{home() / 'cases' / name} is not the folder of a case."))
    return 0


def _summary(case: Case) -> dict[str, object]:
    from responders.record.run import unfinished

    runs = case.runs()
    begun = [run for run in runs if run.begin]
    return {
        "case": case.id,
        "runs": len(runs),
        "unfinished": len(unfinished(begun)),
        "targets": ", ".join(dict.fromkeys(run.target for run in begun)),
        "last": str(begun[-1].end.get("outcome", "unfinished")) if begun else "",
        "damage": _damage(case),
    }


def _damage(case: Case) -> list[str]:
    """What can be seen of damage without reading evidence, a line each."""
    lines = [f"{run.name}: {fault}" for run in case.runs() for fault in run.faults]
    lines += [f"{name} does not belong in a case" for name in case.strangers()]
    return [*lines, *case.risks(), *(f"{name} was set aside" for name in case.damaged())]


def _warn_of_damage(case: Case) -> None:
    from responders.cli import show

    for line in _damage(case):
        show.err().print(show.plain(f"case {case.id}: {line}", "red"))


@app.command()
@boundary
def show(
    case: shared.CaseId,
    local: Annotated[
        bool,
        typer.Option(
            "--local",
            help="Don't look into the vault, and don't ask AWS how far the snapshots are.",
        ),
    ] = False,
    *,
    common: shared.Common,
) -> int:
    """Show what was done in a case, run by run, and how far its snapshots are."""
    from responders.cli import show as screen
    from responders.errors import BadInput

    record = _case(case)
    vault_trouble = "" if local else _look_in_the_vault(record, common.access)
    runs = record.runs()
    if not runs:
        raise BadInput(
            f"there is no case {case} on this machine"
            + (f", and the vault could not be looked at: {vault_trouble}" if vault_trouble else ""),
            "See `cordon case list`; `cordon case sync --region R` fetches a case from the vault.",
        )
    snapshots, trouble = ([], "") if local else _snapshots(record, common)
    if common.as_json:
        entries = [{"run": r.name, "entries": [e.body for e in r.entries]} for r in runs]
        document = {"schema": 1, "case": case, "command": "case show", "runs": entries}
        document |= {"snapshots": snapshots, "snapshots_error": trouble or None}
        screen.document(
            {**document, "damage": _damage(record), "vault_error": vault_trouble or None}
        )
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
    _warn_of_damage(record)
    if vault_trouble:
        screen.err().print(
            screen.plain(f"Runs of other machines may be missing: {vault_trouble}", "yellow")
        )
    return 0


def _look_in_the_vault(case: Case, access: Access) -> str:
    """Fetches what other machines wrote down in the case; gives the reason when it can't."""
    from responders.aws import explain
    from responders.record import sync as copy

    try:
        vault = _vault(case, access)
        if vault is None:
            return "no vault is prepared where this case is"
        conflicts = copy.fetch_journals(case, vault).conflicts
    except Exception as error:
        return f"the vault can't be reached: {explain(error)}"
    return "; ".join(conflicts)


def _snapshots(case: Case, common: shared.Common) -> tuple[list[JsonObject], str]:
    """How far they are, and why that is not known where AWS can't be asked."""
    from responders.aws import Aws, explain
    from responders.volumes.follow_up import instances, progress

    if not instances(case):
        return [], ""
    try:
        return progress(Aws(common.access, case=case.id, read_only=True), case), ""
    except Exception as error:
        return [], explain(error)


def _show_snapshots(found: list[JsonObject], trouble: str) -> None:
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

    record = _case(case)
    vault = None if local else _vault(record, common.at(region))
    faults = prove.local_faults(record)
    if vault is not None:
        faults += prove.vault_faults(record, vault)
    if not record.runs() and not faults:
        where = "" if vault is None else f" or in the vault {vault.bucket}"
        raise BadInput(f"there is no case {case} on this machine{where}", "See `cordon case list`.")
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
    """Send to the vault what it lacks of a case, and restore what is missing or damaged here.

    A damaged file is set aside, and what was first written into the vault takes its place.
    """
    from responders.cli import show
    from responders.errors import Incomplete
    from responders.record import sync as copy

    record = _case(case)
    still_open = shared.close_openings(common, record.id)
    vault = _vault(record, common.at(region))
    if vault is None:
        raise Incomplete(
            "no vault is prepared where this case is", "Run `pulumi up`, or give --region."
        )
    done = copy.sync(record, vault)
    if common.as_json:
        show.document(
            {
                "schema": 1,
                "case": case,
                "command": "case sync",
                "outcome": "conflicts" if done.conflicts else "synced",
                "vault": vault.bucket,
                "sent": done.sent,
                "fetched": done.fetched,
                "restored": done.restored,
                "conflicts": done.conflicts,
            }
        )
    else:
        show.out().print(
            show.plain(
                f"{len(done.sent)} files sent to and {len(done.fetched)} fetched from "
                f"{vault.bucket}, {len(done.restored)} of them in place of damaged ones"
            )
        )
        for line in done.conflicts:
            show.out().print(show.plain(f"✗ {line}", "red"))
    return 1 if done.conflicts else still_open


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
