"""`cordon case report`: the case as one page, for those who were not there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary


@boundary
def report(
    case: shared.CaseId,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write. Default: stdout."),
    ] = None,
    *,
    common: shared.Common,
) -> int:
    """Write a case as one HTML page: timeline, steps, risks, evidence and chain of custody."""
    from responders.cli import show
    from responders.errors import BadInput
    from responders.record.case import Case
    from responders.record.page import page
    from responders.record.verify import local_faults

    found = Case(shared.check_case(case))
    if not found.runs_on_disk():
        raise BadInput(f"there is no case {case} on this machine", "See `cordon case list`.")
    text = page(found)
    if output is None:
        print(text, end="")
        return 0
    try:
        output.write_text(text)
    except OSError as error:
        raise BadInput(f"can't write {output}: {error.strerror}", "Choose another file.") from error
    if common.as_json:
        outcome = "faults" if local_faults(found) else "verified"
        document = {"schema": 1, "case": case, "command": "case report"}
        show.document({**document, "outcome": outcome, "report": str(output)})
    else:
        show.err().print(show.plain(f"Written to {output}."))
    return 0
