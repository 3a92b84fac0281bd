"""`cordon resume`: finish what was interrupted."""

from __future__ import annotations

from responders.cli import options as shared
from responders.cli.boundary import boundary


@boundary
def resume(
    case: shared.CaseId,
    *,
    common: shared.Common,
) -> int:
    """Continue every run of a case that did not finish."""
    from responders.cli import show
    from responders.cli.watching import watching
    from responders.respond import Request
    from responders.respond import resume as go_on

    still_open = shared.close_openings(common, shared.check_case(case))
    with watching() as watch:
        request = Request(
            "resume",
            "",
            shared.check_case(case),
            common.responder,
            common.access,
            watch=watch,
        )
        reports = go_on(request, common.tell)
    if common.as_json:
        show.document(
            {
                "schema": 1,
                "case": case,
                "command": "resume",
                "outcome": "resumed" if reports else "nothing-to-resume",
                "runs": [report.as_json() for report in reports],
            }
        )
    else:
        for report in reports:
            show.report(report, as_json=False)
        if not reports:
            show.err().print(show.plain(f"Every run of case {case} on this machine has ended."))
    return max((still_open, *(report.exit_code for report in reports)))
