"""Keeps the text for AWS Support as evidence: what was told, or what a person must paste."""

from __future__ import annotations

from responders.action import Action, Incident, Seen
from responders.json_values import Json
from responders.record.case import Case
from responders.record.journal import sha256
from responders.support.text import Draft, draft


class WriteSupportText(Action):
    """The subject and the text, as a file of the case. Nothing in AWS changes."""

    name = "write-support-text"
    collects = True
    writes_aws = False
    permissions = ()

    def observe(self, incident: Incident) -> Seen:
        """The file, named by what is in it, to whether the case has it already."""
        name = f"support/request-{sha256(_bytes(incident))[:12]}.txt"
        return {name: name in incident.evidence.names()}

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """It is not saved yet."""
        return tuple(f"{name} is not saved" for name, saved in seen.items() if not saved)

    def act(self, incident: Incident, seen: Seen) -> None:
        """Saves it."""
        for name in seen:
            incident.evidence.save(name, _bytes(incident))

    def undo(self, incident: Incident, before: Seen) -> None:
        """Nothing: evidence is kept, and nothing in AWS was changed."""

    def restored(self, before: Json, now: Json) -> bool:
        """Always: there is nothing to restore."""
        return True


def draft_of(incident: Incident) -> Draft:
    """The text for the incident's case."""
    case = Case(incident.case)
    return draft(case, incident.account, incident.responder, incident.options.text)


def _bytes(incident: Incident) -> bytes:
    return draft_of(incident).as_text().encode()
