"""Keeps the text for AWS Support as evidence: what was told, or what a person must paste."""

from __future__ import annotations

from dataclasses import dataclass

from responders.action import Action, Incident, Observation
from responders.json_values import Json
from responders.record.case import Case
from responders.record.journal import sha256
from responders.support.cases import SupportCase
from responders.support.text import Draft, draft


@dataclass(frozen=True)
class WriteSupportText(Action[SupportCase]):
    """The subject and the text, as a file of the case. Nothing in AWS changes."""

    text: str = ""
    """What else AWS should know."""

    name = "write-support-text"
    collects = True
    writes_aws = False
    permissions = ()

    def observe(self, incident: Incident[SupportCase]) -> Observation:
        """The file, named by what is in it, to whether the case has it already."""
        name = f"support/request-{sha256(_bytes(incident, self.text))[:12]}.txt"
        return {name: name in incident.evidence.names()}

    def lacks(self, incident: Incident[SupportCase], observation: Observation) -> tuple[str, ...]:
        """It is not saved yet."""
        return tuple(f"{name} is not saved" for name, saved in observation.items() if not saved)

    def act(self, incident: Incident[SupportCase], observation: Observation) -> None:
        """Saves it."""
        for name in observation:
            incident.evidence.save(name, _bytes(incident, self.text))

    def undo(self, incident: Incident[SupportCase], before: Observation) -> None:
        """Nothing: evidence is kept, and nothing in AWS was changed."""

    def restored(self, before: Json, now: Json) -> bool:
        """Always: there is nothing to restore."""
        return True


def draft_of(incident: Incident[SupportCase], text: str) -> Draft:
    """What to write for the incident's case."""
    return draft(Case(incident.case), incident.account, incident.responder, text)


def _bytes(incident: Incident[SupportCase], text: str) -> bytes:
    return draft_of(incident, text).as_text().encode()
