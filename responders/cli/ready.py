"""`cordon ready`: would a response find what it needs?"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from responders.cli import options as shared
from responders.cli.boundary import boundary

MANY = 4
"""Regions from which on a row counts them; `--json` names each."""


@boundary
def ready(
    regions: Annotated[
        str | None,
        typer.Option(
            "--regions",
            metavar="REGION,REGION",
            help="Regions to audit. Default: all enabled regions.",
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Also list the checks that passed.")] = False,
    *,
    common: shared.Common,
) -> int:
    """Audit in every region what is prepared in the live account. Nothing is changed."""
    from responders import readiness
    from responders.aws import Aws
    from responders.cli import show

    aws = Aws(common.access, read_only=True)
    found = readiness.audit(aws, aws.chosen_regions(regions))
    count = Counter(finding.status for finding in found)
    bad = count[readiness.FAIL] + count[readiness.UNKNOWN]
    good = bad == 0 and count[readiness.OK] > 0
    if common.as_json:
        show.document(
            {
                "schema": 1,
                "command": "ready",
                "account": aws.identity.account,
                "outcome": "ready" if good else "not-ready",
                "counts": dict(count),
                "checks": [finding.as_json() for finding in found],
            }
        )
    else:
        shown = [f for f in found if all_ or f.status != readiness.OK]
        show.table(
            ("status", "check", "region", "vpc", "what", "fix"),
            [
                (f.status, f.id, _places(regions), f.vpc, f.detail, f.fix)
                for f, regions in readiness.grouped(shown)
            ],
        )
        word = ("READY", "bold green") if good else ("NOT READY", "bold red")
        told = ", ".join(f"{number} {status}" for status, number in sorted(count.items()))
        show.out().print(show.plain(word[0], word[1]) + show.plain(f": {told}"))
    return 0 if good else 1


def _places(regions: list[str]) -> str:
    return ", ".join(regions) if len(regions) < MANY else f"{len(regions)} regions"
