"""Opens a case with AWS Support, once: by its subject an open one is found again."""

from __future__ import annotations

from dataclasses import dataclass

from responders.action import Action, Incident, Observation
from responders.actions.write_support_text import draft_of
from responders.aws import explain
from responders.errors import Skip
from responders.json_values import Json
from responders.permissions import allow
from responders.support import cases
from responders.support.cases import SupportCase
from responders.support.text import subject_of

APPEARS = 30.0
"""Seconds that a new support case may take to be listed."""


@dataclass(frozen=True)
class OpenSupportCase(Action[SupportCase]):
    """An open support case with the case's subject."""

    service: str = ""
    """Codes of AWS Support; empty: chosen from what the account's plan offers."""
    category: str = ""
    severity: str = ""
    text: str = ""
    """What else AWS should know."""

    name = "open-support-case"
    permissions = (
        allow(
            "support:CreateCase",
            because="asks AWS for help with `cordon support open`",
            risk="can open support cases in the account's name",
        ),
    )

    def observe(self, incident: Incident[SupportCase]) -> Observation:
        """The subject to AWS's case id and number, or None."""
        subject = subject_of(incident.case, incident.account)
        try:
            found = cases.find(incident.aws, subject)
        except Exception as error:
            raise _explained(incident, error) from error
        return {
            subject: found
            and {"id": str(found["caseId"]), "number": str(found.get("displayId", ""))}
        }

    def lacks(self, incident: Incident[SupportCase], observation: Observation) -> tuple[str, ...]:
        """There is none."""
        return tuple(f"no open support case {s!r}" for s, found in observation.items() if not found)

    def act(self, incident: Incident[SupportCase], observation: Observation) -> None:
        """Opens it at the first endpoint that answers; never at two of them.

        An endpoint that breaks off may have opened it: before the next one is tried, all are looked
        through for it.
        """
        told = []
        about = cases.choose(incident.aws, self.service, self.category, self.severity)
        for region in cases.endpoints(incident.aws):
            try:
                self._create(incident, region, about)
                break
            except Exception as error:
                if not cases.is_unreachable(error):
                    raise _explained(incident, error) from error
                told.append(f"{region}: {explain(error)}")
            if self._appears(incident, 0.0):
                return
        else:
            raise cases.unreachable(incident.aws, told)
        self._appears(incident, APPEARS)

    def undo(self, incident: Incident[SupportCase], before: Observation) -> None:
        """Nothing: a support case is resolved with AWS, by people."""

    def restored(self, before: Json, now: Json) -> bool:
        """Always: there is nothing to restore."""
        return True

    def _create(self, incident: Incident[SupportCase], region: str, about: cases.About) -> None:
        text = draft_of(incident, self.text)
        client = incident.aws.client("support", region, attempts=1, own_endpoint=True)
        client.create_case(
            subject=text.subject,
            communicationBody=text.body,
            serviceCode=about.service,
            categoryCode=about.category,
            severityCode=about.severity,
            issueType=about.kind,
            language="en",
        )

    def _appears(self, incident: Incident[SupportCase], seconds: float) -> bool:
        return incident.wait_for(
            lambda: any(self.observe(incident).values()), seconds=seconds, every=2.0
        )


def _explained(incident: Incident[SupportCase], error: Exception) -> Exception:
    """Skip, with where to paste the text, for an account that has no Support API."""
    if not cases.is_without_plan(error):
        return error
    return Skip(
        "the account's support plan has no API (it needs Business Support+ or higher): open the "
        f'case by hand at {cases.console(incident.aws)} ("Account and billing" is open to every '
        "plan) and paste the text",
        incomplete=True,
    )
