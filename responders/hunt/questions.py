"""What a hunt asks of a table of CloudTrail records, as SQL.

One text serves Amazon Athena's table over a trail's objects and the Parquet parts of a local scan:
both have the columns of the CloudTrail user guide ("Create a table for CloudTrail logs in Athena"),
times as text, and a request as JSON text. Every value is quoted. A condition is as wide as
`LookupEvents` takes its attribute, or wider: the hunt looks at each event again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import ip_network

from responders.hunt.event import Attribute
from responders.hunt.lead import Lead
from responders.hunt.source import Window
from responders.hunt.subjects import Address, Agent, Subject


def where(leads: Sequence[Lead], window: Window) -> str:
    """The condition for every event of some leads in a window."""
    return (
        f"eventtime >= {time(window.since(leads))} AND eventtime <= {time(window.end)} "
        f"AND ({any_of(leads)})"
    )


def any_of(leads: Sequence[Lead], translate: Callable[[Attribute], str] | None = None) -> str:
    """The condition for the events of some leads, whenever they were.

    `translate` gives the SQL of one lookup attribute, where a table's types are others than here.
    """
    parts: dict[str, None] = {}
    for lead in leads:
        lookups = [(translate or condition)(attribute) for attribute in lead.subject.lookups]
        if narrower := narrowed(lead.subject):
            parts[f"({' OR '.join(lookups)}) AND {narrower}"] = None
        else:
            parts |= dict.fromkeys(lookups)
    return " OR ".join(parts)


def narrowed(subject: Subject) -> str:
    """What every event of a subject has besides its lookups; empty where SQL can't say it.

    Without it a question about an address would hand every event of the trail to the hunt.
    """
    match subject:
        case Agent(value):
            return f"strpos(lower(useragent), {quoted(value.lower())}) > 0"
        case Address(value):
            network = ip_network(value)
            if network.version == 6:
                return "strpos(sourceipaddress, ':') > 0"
            octets = str(network.network_address).split(".")[: network.prefixlen // 8]
            if len(octets) == 4:
                return f"sourceipaddress = {quoted('.'.join(octets))}"
            return f"sourceipaddress LIKE {quoted('.'.join([*octets, '%']))}"
    return ""


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
