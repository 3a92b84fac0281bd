"""Asks AWS Support for help with a case: the text is kept, then the support case is opened."""

from __future__ import annotations

from collections.abc import Sequence

from responders.action import Options
from responders.actions.open_support_case import OpenSupportCase
from responders.actions.write_support_text import WriteSupportText
from responders.aws import Aws, is_denied
from responders.errors import BadInput
from responders.locate import Located
from responders.outcome import INCOMPLETE, NOT_CONTAINED, Verdict, judge_work
from responders.record.case import Case
from responders.result import AlreadyInPlace
from responders.runner import Step, StepReport
from responders.support import cases

TARGET = "support"


def locate(aws: Aws, target: str, region: str | None) -> Located:
    """There is one support case for a case; its record's region is where the vault is."""
    return Located(region or aws.home_region, TARGET, aws.identity.account)


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """Refuses a case that has no record, and codes that AWS does not know."""
    if not options.text and not case.runs():
        raise BadInput(
            f"there is no case {case.id} on this machine, so there is nothing to tell",
            "See `cordon case list`; `cordon case sync` fetches a case; or say it with --text.",
        )
    try:
        cases.choose(aws, options.service, options.category, options.severity)
    except Exception as error:
        # The step meets these again, and says so together with the text.
        if not (cases.is_without_plan(error) or cases.is_unreachable(error) or is_denied(error)):
            raise


def steps(options: Options) -> tuple[Step, ...]:
    """The text first, so that it is there when AWS can't be asked."""
    return (
        Step(WriteSupportText()),
        Step(OpenSupportCase(), after={"write-support-text": None}),
    )


def judge(
    graph: Sequence[Step], reports: Sequence[StepReport], *, dry_run: bool, interrupted: bool
) -> Verdict:
    """`opened`, or `already-open`; without a plan, `not-opened` and the exit code 3."""
    verdict = judge_work(
        reports,
        done="opened",
        undone="not-opened",
        failed=NOT_CONTAINED,
        dry_run=dry_run,
        interrupted=interrupted,
    )
    opening = reports[-1].result
    if verdict.outcome == "opened" and isinstance(opening, AlreadyInPlace):
        return Verdict("already-open", verdict.exit_code)
    if dry_run and getattr(opening, "incomplete", False):
        return Verdict("planned", INCOMPLETE)
    return verdict
