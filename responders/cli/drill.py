"""`cordon drill`: rehearse a response, and see how long it takes and what would go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary
from responders.cli.instance import Tracking

if TYPE_CHECKING:
    from responders.drill import Phase
    from responders.outcome import Report

WORDS = {
    "passed": ("PASSED", "bold green"),
    "findings": ("PASSED, WITH FINDINGS", "bold yellow"),
    "failed": ("FAILED", "bold red"),
    "interrupted": ("INTERRUPTED", "bold yellow"),
}


@boundary
def drill(
    case: shared.CaseId,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            metavar="INSTANCE",
            help="Instance to rehearse with. It is contained and released for real only if it "
            "has the tag cordon:drill=true; otherwise the response is only planned.",
        ),
    ] = "",
    region: shared.Region = None,
    dry_run: shared.DryRun = False,
    within: Annotated[
        float | None,
        typer.Option(
            min=1,
            metavar="SECONDS",
            help="Longest time in seconds that containment may take. A slower one fails the drill.",
        ),
    ] = None,
    tracking: Annotated[
        Tracking, typer.Option(help="How open connections are cut: see `cordon instance --help`.")
    ] = Tracking.DIRECT,
    dwell: Annotated[
        float,
        typer.Option(
            min=0,
            max=600,
            metavar="SECONDS",
            help="With --tracking convert: seconds to keep the allow-all group on.",
        ),
    ] = 60.0,
    snapshot: Annotated[
        bool,
        typer.Option(
            "--snapshot", help="Also take snapshots. They are kept, and locked for one day."
        ),
    ] = False,
    *,
    common: shared.Common,
) -> int:
    """Rehearse a response and measure it.

    Audits readiness and shows the plan. An instance that is marked for drills is also contained
    and released for real.
    """
    from responders.cli import show
    from responders.drill import SNAPSHOT_LOCK_DAYS, DrillRequest
    from responders.drill import drill as rehearse
    from responders.playbooks.instance import InstanceOptions

    request = DrillRequest(
        target,
        shared.check_case(case),
        common.responder,
        common.at(region),
        InstanceOptions(
            tracking=tracking.value,
            dwell=dwell,
            snapshot=snapshot,
            lock_days=SNAPSHOT_LOCK_DAYS,
        ),
        within,
        dry_run,
    )
    report = rehearse(request, _hear, common.tell)
    if common.as_json:
        show.document(report.as_json())
    else:
        _show(report)
    return report.exit_code


def _hear(phase: Phase) -> None:
    from responders.cli import show

    show.err().print(show.plain(f"{phase.name}: {phase.outcome} after {phase.seconds:.1f} s"))


def _show(report: Report) -> None:
    from responders.cli import show

    console = show.out()
    word, style = WORDS[report.outcome]
    what = f"{report.target} in {report.region}" if report.target else "readiness only"
    console.print(show.plain(f"DRILL {word}: {what}, case {report.case}", style))
    rows: list[tuple[object, ...]] = []
    for phase in report.extra["phases"]:
        rows.append((phase["name"], phase["outcome"], f"{phase['seconds']:.1f} s"))
        rows += [
            (f"  {step['name']}", step["status"], f"{step['seconds']:.1f} s")
            for step in phase["steps"]
        ]
    show.table(("phase", "outcome", "took"), rows)
    if report.contained_after_s is not None:
        console.print(show.plain(f"Contained {report.contained_after_s:.1f} s after the command"))
    for kind, mark_style in (("failures", "red"), ("findings", "yellow"), ("notes", "dim")):
        for line in report.extra[kind]:
            console.print(show.plain(f"  ! {line}" if kind != "notes" else f"· {line}", mark_style))
    if report.evidence.local:
        console.print(show.plain(f"Record   {report.evidence.local}"))
