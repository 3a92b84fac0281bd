"""`cordon support`: ask AWS for help with a case, and see what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.cli.commands import Commands

if TYPE_CHECKING:
    from responders.outcome import Report
    from responders.support.text import Draft

app = Commands(no_args_is_help=True, help="Ask AWS Support for help with a case.")


@app.command("open")
@boundary
def open_(
    case: shared.CaseId,
    text: Annotated[
        str,
        typer.Option(
            "--text", metavar="TEXT", help="Text to add for AWS Support. Put no secrets in it."
        ),
    ] = "",
    service: Annotated[
        str,
        typer.Option(
            "--service",
            metavar="CODE",
            help="AWS Support service code. Default: customer-account.",
        ),
    ] = "",
    category: Annotated[
        str,
        typer.Option(
            "--category",
            metavar="CODE",
            help="With --service: AWS Support category code within that service.",
        ),
    ] = "",
    severity: Annotated[
        str,
        typer.Option(
            "--severity",
            metavar="CODE",
            help="AWS Support severity code. Default: urgent, or the highest of your support plan.",
        ),
    ] = "",
    region: shared.VaultRegion = None,
    dry_run: shared.DryRun = False,
    *,
    common: shared.Common,
) -> int:
    """Open a case with AWS Support from the record of a case.

    A support plan without API access cannot open cases this way: then the text is printed, with
    the address of the page to paste it into.
    """
    from dataclasses import replace

    from responders.cli import show
    from responders.playbooks.support_open import SupportOptions
    from responders.record.case import Case
    from responders.respond import Request, respond
    from responders.support.text import draft

    request = Request(
        "support open",
        "support",
        shared.check_case(case),
        common.responder,
        common.at(region),
        SupportOptions(service=service, category=category, severity=severity, text=text),
        dry_run,
    )
    report = respond(request, common.tell)
    told = draft(Case(case), report.account, common.responder, text)
    report = replace(report, extra={"support": _facts(report, told)})
    if common.as_json:
        show.document(report.as_json())
        return report.exit_code
    show.report(report, as_json=False)
    if report.outcome in ("not-opened", "planned"):
        for line in ["", *told.as_text().splitlines()]:
            show.out().print(show.plain(line))
    return report.exit_code


def _facts(report: Report, told: Draft) -> dict[str, object]:
    """The number and id of the support case, once there is one, and what was told."""
    found = next(iter((report.steps[-1].now or {}).values()), None) or {}
    return {
        "number": found.get("number") or None,
        "id": found.get("id") or None,
        "subject": told.subject,
        "text": told.body,
    }


@app.command()
@boundary
def show(
    case: shared.CaseId,
    region: shared.VaultRegion = None,
    *,
    common: shared.Common,
) -> int:
    """Show the number, the state and the newest messages of the AWS Support case of a case."""
    from responders.aws import Aws
    from responders.cli import show as screen
    from responders.support.show import show as look

    found = look(Aws(common.at(region), case=case), shared.check_case(case))
    if common.as_json:
        screen.document({"schema": 1, "case": case, "command": "support show", **found})
        return 0
    head = f"support case {found['number']}: {found['status']}, severity {found['severity']}"
    screen.out().print(screen.plain(head, "bold"))
    screen.out().print(screen.plain(f"{found['subject']} (opened {found['opened']})"))
    for message in found["messages"]:
        screen.out().print("")
        screen.out().print(screen.plain(f"{message['at']}  {message['by']}", "dim"))
        for line in message["body"].splitlines():
            screen.out().print(screen.plain(f"  {line}"))
    return 0
