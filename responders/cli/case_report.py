"""`cordon case report`: the case as one page, for those who were not there."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary


class Format(StrEnum):
    """The forms that a report can have."""

    HTML = "html"
    MARKDOWN = "md"
    JSON = "json"


@boundary
def report(
    case: shared.CaseId,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write. Default: stdout."),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="html: one self-contained page. md: Markdown for a ticket. json: for programs. "
            "Default: html, or json with --json.",
        ),
    ] = None,
    *,
    common: shared.Common,
) -> int:
    """Write a case as one page: what happened, what is so now, and the chain of custody.

    The report is made from the record on this machine. `cordon case sync` fetches what other
    responders recorded.
    """
    from responders.case_report import render
    from responders.case_report.facts import facts_of
    from responders.cli import show
    from responders.errors import BadInput
    from responders.record.case import Case

    recorded = Case(shared.check_case(case))
    if not recorded.runs_on_disk():
        raise BadInput(f"there is no case {case} on this machine", "See `cordon case list`.")
    facts = facts_of(recorded)
    form = form or (Format.JSON if common.as_json and output is None else Format.HTML)
    writers = {
        Format.HTML: render.as_html,
        Format.MARKDOWN: render.as_markdown,
        Format.JSON: render.as_json,
    }
    text = writers[form](facts)
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        # A report holds all that an attacker must not read: nobody else gets it.
        with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise BadInput(f"can't write {output}: {error.strerror}", "Choose another file.") from error
    if common.as_json:
        outcome = "faults" if facts.faults else "verified"
        document = {"schema": render.SCHEMA, "case": case, "command": "case report"}
        show.document({**document, "outcome": outcome, "report": str(output)})
    else:
        show.err().print(show.plain(f"Written to {output}."))
    return 0
