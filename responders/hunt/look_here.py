"""What a hunt saw and can't follow by itself: why, and the command that looks there."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from responders.hunt.event import Event
from responders.hunt.inventory import command
from responders.hunt.table import Follow, Hint, plain, table
from responders.json_values import JsonObject
from responders.record.journal import utc


@dataclass(frozen=True)
class LookHere:
    """One event after which somebody must look. `by` is the lead whose event it was.

    `time` is UTC, ISO 8601; `command` reads AWS and changes nothing, and is empty where the event
    does not name what the command needs.
    """

    event: str
    name: str
    service: str
    region: str
    time: str
    why: str
    command: str
    by: str

    def as_json(self) -> JsonObject:
        """Members for the JSON document; the same names."""
        return asdict(self)


def look_here(event: Event, by: str) -> LookHere | None:
    """Where to look after an event, by the table; None when it says nothing of such events."""
    name = (event.service, plain(event.name))
    hint, minting = table().hints.get(name), table().mintings.get(name)
    if hint is None and minting is not None and minting.follow is Follow.LOOK:
        hint = Hint(minting.why)
    if hint is None or event.error:
        return None
    values = {member: event.either(member)[:1] for member in hint.members}
    line = command(hint.command, {"region": event.region, **values})
    return LookHere(
        event=event.id,
        name=event.name,
        service=event.source,
        region=event.region,
        time=utc(event.time),
        why=hint.why,
        command=line,
        by=by,
    )
