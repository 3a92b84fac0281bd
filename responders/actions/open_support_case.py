"""Opens a case with AWS Support, once: by its subject an open one is found again."""

from __future__ import annotations

from responders.action import Action, Incident, Seen
from responders.actions.write_support_text import draft_of
from responders.aws import explain
from responders.errors import Skip
from responders.json_values import Json
from responders.permissions import allow
from responders.support import cases
from responders.support.text import subject_of

APPEARS = 30.0
"""Seconds that a new support case may take to be listed."""


class OpenSupportCase(Action):
    """An open support case with the case's subject."""

    name = "open-support-case"
    permissions = (
        allow(
            "support:CreateCase",
            because="asks AWS for help with `cordon support open`",
            risk="can open support cases in the account's name",
        ),
    )

    def observe(self, incident: Incident) -> Seen:
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

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """There is none."""
        return tuple(f"no open support case {s!r}" for s, found in seen.items() if not found)

    def act(self, incident: Incident, seen: Seen) -> None:
        """Opens it at the first endpoint that answers; never at two of them.

        An endpoint that breaks off may have opened it: before the next one is tried, all are looked
        through for it.
        """
        told = []
        options = incident.options
        about = cases.choose(incident.aws, options.service, options.category, options.severity)
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

    def undo(self, incident: Incident, before: Seen) -> None:
        """Nothing: a support case is resolved with AWS, by people."""

    def restored(self, before: Json, now: Json) -> bool:
        """Always: there is nothing to restore."""
        return True

    def _create(self, incident: Incident, region: str, about: cases.About) -> None:
        text = draft_of(incident)
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

    def _appears(self, incident: Incident, seconds: float) -> bool:
        return incident.wait_for(
            lambda: any(self.observe(incident).values()), seconds=seconds, every=2.0
        )


def _explained(incident: Incident, error: Exception) -> Exception:
    """Skip, with where to paste the text, for an account that has no Support API."""
    if not cases.is_without_plan(error):
        return error
    return Skip(
        "the account's support plan has no API (it needs Business Support+ or higher): open the "
        f'case by hand at {cases.console(incident.aws)} ("Account and billing" is open to every '
        "plan) and paste the text",
        incomplete=True,
    )
