"""What a hunt asks of a table of CloudTrail records, as SQL.

One text serves Amazon Athena's table over a trail's objects and the Parquet parts of a local scan:
both have the columns of the CloudTrail user guide ("Create a table for CloudTrail logs in Athena"),
times as text, and a request as JSON text. Every value is quoted. A condition is as wide as
`LookupEvents` takes its attribute, or wider: the hunt looks at each event again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from responders.hunt.event import Attribute
from responders.hunt.lead import Lead
from responders.hunt.source import Window


def where(leads: Sequence[Lead], window: Window) -> str:
    """The condition for every event of some leads in a window."""
    asked_for = dict.fromkeys(condition(a) for lead in leads for a in lead.subject.lookups)
    return (
        f"eventtime >= {time(window.since(leads))} AND eventtime <= {time(window.end)} "
        f"AND ({' OR '.join(asked_for)})"
    )


def condition(attribute: Attribute) -> str:
    """One lookup attribute; ValueError for one that no lead asks for."""
    name, value = attribute
    match name:
        case "AccessKeyId":
            return f"useridentity.accesskeyid = {quoted(value)}"
        case "Username" if value == "root":
            return "useridentity.type = 'Root'"
        case "Username":
            return (
                f"useridentity.username = {quoted(value)} "
                f"OR useridentity.arn LIKE {quoted('%/' + value)}"
            )
        case "ResourceName":
            return f"strpos(requestparameters, {quoted(value)}) > 0"
        case "EventName":
            return f"eventname = {quoted(value)}"
        case "ReadOnly":
            return f"coalesce(readonly, 'false') = {quoted(value)}"
    raise ValueError(f"no SQL for the attribute {name}")


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def time(moment: datetime) -> str:
    """A moment (UTC) as CloudTrail writes it, which sorts as text."""
    return f"'{moment:%Y-%m-%dT%H:%M:%SZ}'"
