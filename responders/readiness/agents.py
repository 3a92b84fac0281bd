"""Which running instances Systems Manager can reach: memory and host firewall need that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from responders.permissions import allow
from responders.readiness import OK, WARN, Finding, Place

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef

SCOPE = "region"
PERMISSIONS = (
    allow("ec2:DescribeInstances", because="counts the running instances"),
    allow("ssm:DescribeInstanceInformation", because="finds the instances with a live agent"),
)
SHOWN = 5


def check(place: Place) -> Iterator[Finding]:
    """A warning that names the first of those out of reach; silent where nothing runs."""
    running: list[FilterTypeDef] = [{"Name": "instance-state-name", "Values": ["running"]}]
    pages = place.client("ec2").get_paginator("describe_instances").paginate(Filters=running)
    instances = {i["InstanceId"] for p in pages for r in p["Reservations"] for i in r["Instances"]}
    if not instances:
        return
    agents = place.client("ssm").get_paginator("describe_instance_information").paginate()
    online = {
        i["InstanceId"]
        for page in agents
        for i in page["InstanceInformationList"]
        if i.get("PingStatus") == "Online"
    }
    silent = sorted(instances - online)
    if silent:
        names = ", ".join(silent[:SHOWN]) + (" …" if len(silent) > SHOWN else "")
        yield Finding(
            "agents",
            WARN,
            f"{len(silent)} of {len(instances)} running instances have no live agent: {names}",
            "Install the SSM agent and give the instances AmazonSSMManagedInstanceCore.",
        )
    else:
        yield Finding("agents", OK, f"all {len(instances)} running instances have a live agent")
