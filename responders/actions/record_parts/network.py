"""What the instance could talk to: interfaces, groups, routes, network ACLs, flow logs."""

from __future__ import annotations

from responders.action import Incident
from responders.actions.record_parts.part import Part, as_json
from responders.aws import pages
from responders.permissions import allow
from responders.scene import Scene

PERMISSIONS = (
    allow(
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeRouteTables",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeFlowLogs",
        because="saves the instance's network as it was",
    ),
)


def _interfaces(incident: Incident[Scene]) -> bytes:
    return as_json(incident.subject.interfaces)


def _groups(incident: Incident[Scene]) -> bytes:
    """By filter, which bears that a group was deleted since."""
    ids = sorted({g["GroupId"] for i in incident.subject.interfaces for g in i["Groups"]})
    of_these = [{"Name": "group-id", "Values": ids}]
    client = incident.client("ec2")
    return as_json(pages(client, "describe_security_groups", "SecurityGroups", Filters=of_these))


def _routes(incident: Incident[Scene]) -> bytes:
    """The tables of the subnets, and the main one, which serves subnets without their own."""
    client = incident.client("ec2")
    own = [{"Name": "association.subnet-id", "Values": _subnets(incident)}]
    main = [
        {"Name": "vpc-id", "Values": _vpcs(incident)},
        {"Name": "association.main", "Values": ["true"]},
    ]
    return as_json(
        {
            "subnets": pages(client, "describe_route_tables", "RouteTables", Filters=own),
            "main": pages(client, "describe_route_tables", "RouteTables", Filters=main),
        }
    )


def _network_acls(incident: Incident[Scene]) -> bytes:
    own = [{"Name": "association.subnet-id", "Values": _subnets(incident)}]
    client = incident.client("ec2")
    return as_json(pages(client, "describe_network_acls", "NetworkAcls", Filters=own))


def _flow_logs(incident: Incident[Scene]) -> bytes:
    """Flow logs of the VPCs, subnets and interfaces: where traffic of the past can be read."""
    interfaces = [str(i["NetworkInterfaceId"]) for i in incident.subject.interfaces]
    watched = [*_vpcs(incident), *_subnets(incident), *interfaces]
    of_these = [{"Name": "resource-id", "Values": watched}]
    found = pages(incident.client("ec2"), "describe_flow_logs", "FlowLogs", Filter=of_these)
    if not found:
        incident.note("no flow log covers the instance: its past traffic was not recorded")
    return as_json(found)


def _subnets(incident: Incident[Scene]) -> list[str]:
    return sorted({str(i["SubnetId"]) for i in incident.subject.interfaces})


def _vpcs(incident: Incident[Scene]) -> list[str]:
    return sorted({str(i["VpcId"]) for i in incident.subject.interfaces})


PARTS: dict[str, Part] = {
    "interfaces.json": _interfaces,
    "groups.json": _groups,
    "routes.json": _routes,
    "network-acls.json": _network_acls,
    "flow-logs.json": _flow_logs,
}
