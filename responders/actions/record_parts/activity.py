"""What the instance did: calls of its role session, and what Systems Manager knows of it."""

from __future__ import annotations

from responders.action import Incident
from responders.actions.record_parts.part import Absent, Part, as_json
from responders.aws import pages
from responders.host import run_command
from responders.permissions import allow
from responders.scene import Scene

EVENTS = 500
"""The newest events that are saved: ten pages, at two requests a second."""
INVENTORY = (
    "AWS:InstanceInformation",
    "AWS:Application",
    "AWS:AWSComponent",
    "AWS:Network",
    "AWS:Service",
    "AWS:WindowsRole",
    "AWS:WindowsUpdate",
)

PERMISSIONS = (
    allow(
        "cloudtrail:LookupEvents",
        because="saves the recent calls of the instance's role session",
        risk="can read the account's management events",
    ),
    allow("ssm:ListInventoryEntries", because="saves what software the instance had"),
)


def _events(incident: Incident[Scene]) -> bytes:
    """Of the region. An instance's session has the instance's id as its name."""
    found = pages(
        incident.client("cloudtrail"),
        "lookup_events",
        "Events",
        LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": incident.target}],
        PaginationConfig={"MaxItems": EVENTS},
    )
    if len(found) == EVENTS:
        incident.note(f"its session made more than {EVENTS} calls: `cordon hunt` reads them all")
    return as_json(found)


def _inventory(incident: Incident[Scene]) -> bytes:
    if run_command.agent(incident, incident.target) is None:
        raise Absent("no Systems Manager agent was ever registered for it")
    client = incident.client("ssm")
    return as_json(
        {
            kind: client.list_inventory_entries(InstanceId=incident.target, TypeName=kind).get(
                "Entries", []
            )
            for kind in INVENTORY
        }
    )


PARTS: dict[str, Part] = {"role-events.json": _events, "inventory.json": _inventory}
