"""Saves what the instance looked like, part by part: see `record_parts`."""

from __future__ import annotations

from responders.action import Action, Incident, Observation
from responders.actions import record_parts
from responders.actions.record_parts import PARTS
from responders.actions.record_parts.part import Absent
from responders.json_values import Json
from responders.scene import Scene


class Record(Action[Scene]):
    """Each part is a few reads and one file; each may fail alone. Nothing in AWS changes."""

    name = "record"
    collects = True
    writes_aws = False
    permissions = record_parts.PERMISSIONS

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Part to whether the case has it already, or that there is none."""
        have = incident.evidence.names()
        return {
            part: _name(incident, part) in have or _absent(incident, part) in have for part in PARTS
        }

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each part that is not saved yet."""
        return tuple(f"{part} is not saved" for part, saved in observation.items() if not saved)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """All parts that lack, at the same time."""

        def save(part: str) -> None:
            try:
                data = PARTS[part](incident)
            except Absent as absent:
                incident.evidence.save(_absent(incident, part), f"{absent}\n".encode())
            else:
                incident.evidence.save(_name(incident, part), data)

        incident.aws.each(save, [part for part, saved in observation.items() if not saved])

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: evidence is kept, and nothing in AWS was changed."""

    def restored(self, before: Json, now: Json) -> bool:
        """Always: there is nothing to restore."""
        return True


def _name(incident: Incident[Scene], part: str) -> str:
    return f"{incident.target}/{part}"


def _absent(incident: Incident[Scene], part: str) -> str:
    return f"{incident.target}/{part}.absent.txt"
