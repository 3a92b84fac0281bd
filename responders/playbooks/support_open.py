"""Asks AWS Support for help with a case: the text is kept, then the support case is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from responders.actions.open_support_case import OpenSupportCase
from responders.actions.write_support_text import WriteSupportText
from responders.aws import Aws, is_denied
from responders.errors import BadInput
from responders.graph import AnyStep, Step
from responders.json_values import Json
from responders.locate import Located
from responders.outcome import INCOMPLETE, NOT_CONTAINED, Verdict, judge_work
from responders.playbook import Options, Playbook
from responders.record.case import Case
from responders.result import AlreadyInPlace
from responders.runner import StepReport
from responders.support import cases
from responders.support.cases import SupportCase

TARGET = "support"


@dataclass(frozen=True)
class SupportOptions(Options):
    """Codes of AWS Support (empty: chosen), and what else AWS should know."""

    service: str = ""
    category: str = ""
    severity: str = ""
    text: str = ""


class SupportPlaybook(Playbook[SupportCase, SupportOptions]):
    """One support case for a case."""

    options = SupportOptions

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[SupportCase]:
        """There is one support case for a case; its record's region is where the vault is."""
        return Located(region or aws.home_region, TARGET, SupportCase(), aws.identity.account)

    def recorded(self, aws: Aws, begin: Mapping[str, Json]) -> Located[SupportCase]:
        """The same for every run."""
        return Located(str(begin["region"]), TARGET, SupportCase(), str(begin["account"]))

    def check(
        self, aws: Aws, located: Located[SupportCase], options: SupportOptions, case: Case
    ) -> None:
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
            if not (
                cases.is_without_plan(error) or cases.is_unreachable(error) or is_denied(error)
            ):
                raise

    def steps(self, options: SupportOptions) -> tuple[Step[SupportCase], ...]:
        """The text first, so that it is there when AWS can't be asked."""
        opening = OpenSupportCase(
            service=options.service,
            category=options.category,
            severity=options.severity,
            text=options.text,
        )
        return (
            Step(WriteSupportText(text=options.text)),
            Step(opening, after={WriteSupportText: None}),
        )

    def judge(
        self,
        graph: Sequence[AnyStep],
        reports: Sequence[StepReport],
        *,
        dry_run: bool,
        interrupted: bool,
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


PLAYBOOK = SupportPlaybook()
