"""`cordon hunt`: what a key or a principal did, in every region, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary

if TYPE_CHECKING:
    from responders.hunt.findings import Findings
    from responders.hunt.formats import Section
    from responders.hunt.hunting import Export
    from responders.hunt.index import Row
    from responders.hunt.open_lead import OpenLead
    from responders.outcome import Report

WHAT = "What to hunt for"


@boundary
def hunt(
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="ID", help="Id of the access key to hunt for.", rich_help_panel=WHAT
        ),
    ] = None,
    principal: Annotated[
        str | None,
        typer.Option(
            "--principal",
            metavar="ARN",
            help="ARN of the user, role, session or root user to hunt for, also of other accounts. "
            "An account number stands for all principals of that account.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    ip: Annotated[
        str | None,
        typer.Option(
            "--ip",
            metavar="ADDRESS",
            help="IP address or CIDR block that calls came from. Reads all events: add --since.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    user_agent: Annotated[
        str | None,
        typer.Option(
            "--user-agent",
            metavar="TEXT",
            help="Text that the user agent contains. Reads all events: add --since.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    mfa_device: Annotated[
        str | None,
        typer.Option(
            "--mfa-device",
            metavar="SERIAL",
            help="Serial number or ARN of the MFA device to hunt for.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DATE",
            help="Alone: hunt for all that anybody changed since then. With another question: the "
            "time to begin at. YYYY-MM-DD (UTC), or how long ago: 24h, 7d.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    case: Annotated[
        str | None,
        typer.Option(
            "--case",
            metavar="ID",
            help="Case in which the raw events and the findings are kept as evidence.",
        ),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            "--regions",
            metavar="REGION,REGION",
            help="Regions to search. Default: all enabled regions.",
        ),
    ] = None,
    without_trail: Annotated[
        bool,
        typer.Option(
            "--without-trail", help="Also list resources that are new by their own creation date."
        ),
    ] = False,
    trail: Annotated[
        str,
        typer.Option(
            "--trail",
            metavar="ADDRESS",
            help="Also read a trail's objects: s3://BUCKET, or a folder with a copy of them.",
        ),
    ] = "",
    validate: Annotated[
        bool,
        typer.Option(
            "--validate",
            help="With --trail s3://…: check its objects against CloudTrail's signed digests.",
        ),
    ] = False,
    athena: Annotated[
        str,
        typer.Option(
            "--athena",
            metavar="WORKGROUP",
            help="Also ask Athena's table over a trail's objects, cordon.trail, or "
            "WORKGROUP:DATABASE.TABLE; it bills by bytes.",
        ),
    ] = "",
    max_gb: Annotated[
        float,
        typer.Option(
            "--max-gb",
            metavar="N",
            help="With --athena: gigabytes that its queries may scan. More is refused beforehand.",
            min=0,
        ),
    ] = 100,
    lake: Annotated[
        str,
        typer.Option(
            "--lake",
            metavar="ARN",
            help="Also query this event data store of CloudTrail Lake, which bills by bytes.",
        ),
    ] = "",
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write every event as CSV; - is stdout."),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(
            "--jsonl", metavar="FILE", help="Write every event as JSON, one a line, for Timesketch."
        ),
    ] = None,
    ocsf: Annotated[
        Path | None,
        typer.Option(
            "--ocsf", metavar="FILE", help="Write every event as OCSF's API Activity, one a line."
        ),
    ] = None,
    region: shared.VaultRegion = None,
    *,
    common: shared.Common,
) -> int:
    """Find what was done with a key or by a principal, in all regions, and what it led to."""
    from datetime import UTC, datetime

    from responders.cli import hunt_progress, show
    from responders.errors import BadInput
    from responders.hunt import ask
    from responders.hunt.command import HuntRequest, report
    from responders.hunt.hunting import Extras

    questions = [
        (key, ask.key),
        (principal, ask.principal),
        (ip, ask.address),
        (user_agent, ask.agent),
        (mfa_device, ask.mfa_device),
    ]
    asked = [(text, read) for text, read in questions if text]
    if len(asked) > 1 or not (asked or since):
        raise BadInput(
            "what to hunt for is not clear",
            "Give one of --key, --principal, --ip, --user-agent, --mfa-device, or --since alone.",
        )
    files = {"--csv": csv, "--jsonl": jsonl, "--ocsf": ocsf}
    to_stdout = [option for option, path in files.items() if str(path) == "-"]
    if len(to_stdout) + common.as_json > 1:
        options = [*(["--json"] if common.as_json else []), *(f"{one} -" for one in to_stdout)]
        raise BadInput(f"{' and '.join(options)} all want stdout", f"Give {to_stdout[0]} a file.")
    begin = ask.since(since, datetime.now(UTC)) if since else None
    subject = next((read(text) for text, read in asked), None)
    request = HuntRequest(
        subject,
        common.at(region),
        shared.check_case(case) if case else "",
        common.responder,
        [r.strip() for r in regions.split(",") if r.strip()] if regions else None,
        trail=trail,
        validate=validate,
        lake=lake,
        athena=athena,
        max_gb=max_gb,
        extras=Extras(since=begin, without_trail=without_trail),
    )
    export = _export({option: path for option, path in files.items() if path})
    with hunt_progress.shown() as tell:
        document, findings = report(request, tell, export)
    if common.as_json:
        show.document(document.as_json())
    else:
        show_findings(document, findings, lists=not to_stdout)
    return document.exit_code


def _export(files: Mapping[str, Path]) -> Export | None:
    """Writes the events to new files, or to stdout; BadInput when one can't be a new file."""
    from responders.errors import BadInput
    from responders.hunt import formats, json_lines

    writers = {
        "--csv": formats.write_csv,
        "--jsonl": json_lines.write_timesketch,
        "--ocsf": json_lines.write_ocsf,
    }
    for option, path in files.items():
        if str(path) != "-" and (path.exists() or not path.parent.is_dir()):
            trouble = "exists already" if path.exists() else "is in no folder that exists"
            raise BadInput(f"the file {path} {trouble}", f"Give {option} the name of a new file.")

    def export(rows: Callable[[], Iterable[Row]], labels: Mapping[int, str]) -> None:
        for option, path in files.items():
            if str(path) == "-":
                writers[option](sys.stdout, rows(), labels)
                continue
            with path.open("x", newline="", encoding="utf-8") as file:
                writers[option](file, rows(), labels)

    return export if files else None


def show_findings(document: Report, findings: Findings, *, lists: bool) -> None:
    """What was found, for people: what is still open comes last, where nobody misses it.

    Without `lists` (the events go to stdout) all of it is talk.
    """
    from responders.cli import show
    from responders.hunt import formats

    console = show.out() if lists else show.err()

    def say(text: str, style: str = "") -> None:
        console.print(show.plain(text, style))

    say(f"{'FOUND' if findings.found else 'NOTHING FOUND'}: {findings.subject}", "bold")
    say(f"account {findings.account}, {findings.start} to {findings.end}")
    counted = ", ".join(f"{count} {kind}" for kind, count in findings.counts.items() if count)
    if counted:
        say(f"{counted}; first {findings.first}, last {findings.last}")
    for section in formats.sections(findings) if lists else ():
        _show_section(section, say)
    say("")
    for note in findings.notes:
        say(f"· {note}", "dim")
    if document.evidence.local:
        say(f"Record   {document.evidence.local}")
        if document.evidence.vault:
            say(f"Vault    {document.evidence.vault}")
    if document.exit_code:
        say("INCOMPLETE: what is listed is not all there is", "bold yellow")
        missing = document.evidence.trouble if document.evidence.local else ""
        for gap in dict.fromkeys((*findings.gaps, *filter(None, (missing,)))):
            say(f"  ! {gap}", "yellow")
    if findings.open:
        _show_section(formats.open_section(findings), say)


def show_acting(outcome: str, leads: Sequence[OpenLead]) -> None:
    """The very last line: how many open leads can act by themselves, and what that means."""
    from responders.cli import show
    from responders.outcome import CONTAINED

    if leads:
        key = "contained" if outcome in CONTAINED else "NOT contained"
        count = "1 open lead" if len(leads) == 1 else f"{len(leads)} open leads"
        show.out().print(
            show.plain(
                f"OPEN LEADS: the key is {key}, and the attacker can still act through {count} of "
                "severity critical or high. Run the command under each.",
                "bold red",
            )
        )


def _show_section(section: Section, say: Callable[[str, str], None]) -> None:
    """One list, its cells in columns."""
    from responders.cli import show

    say("", "")
    say(section.title, "bold")
    columns = zip(*(item.cells for item in section.items), strict=True)
    widths = [max(map(len, column)) for column in columns]
    for item in section.items:
        cells = zip(item.cells, widths, strict=True)
        say("  " + "  ".join(f"{show.safe(c):<{width}}" for c, width in cells).rstrip(), "")
        for line in item.lines:
            say(f"      {line}", "dim")
    if section.more:
        say(f"  … and {section.more} more: see --json or --csv", "dim")
