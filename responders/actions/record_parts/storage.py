"""The volumes that are attached."""

from __future__ import annotations

from responders.action import Incident
from responders.actions.record_parts.part import Part, as_json
from responders.aws import pages
from responders.permissions import allow
from responders.scene import Scene

PERMISSIONS = (allow("ec2:DescribeVolumes", because="saves what the instance's volumes were"),)


def _volumes(incident: Incident[Scene]) -> bytes:
    attached = [{"Name": "attachment.instance-id", "Values": [incident.target]}]
    client = incident.client("ec2")
    return as_json(pages(client, "describe_volumes", "Volumes", Filters=attached))


PARTS: dict[str, Part] = {"volumes.json": _volumes}
