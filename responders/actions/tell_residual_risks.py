"""Tells which connections security groups can't cut, found from the instance's routes and network.

Flows over some kinds of gateway are tracked whatever the rules say, so no change of groups cuts
them before they are idle for their timeout (EC2 user guide, "Connection tracking", automatically
tracked connections). DNS to the VPC's resolver passes every security group (VPC user guide).
Nothing is changed here, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, explain
from responders.host import managed_service
from responders.permissions import allow
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, RouteTypeDef

ADVICE = "--nacl with the remote addresses cuts them"
ALWAYS = (
    "ICMP is always tracked: a flow that goes on is not cut, for as long as it goes on",
    "the instance still reaches the link-local addresses of its host: time (169.254.169.123), and "
    "metadata (169.254.169.254) unless that is turned off",
)
MANAGED = {
    "global_accelerator_managed": "Global Accelerator (its interfaces are in this VPC)",
    "lambda": "Lambda functions with interfaces in this VPC",
}
"""Types of interfaces that stand for a service whose flows are always tracked."""

Found = list[str]


class TellResidualRisks(Action[Scene]):
    """Each kind of path that is always tracked, if this instance has it."""

    name = "residual-risks"
    writes_aws = False
    permissions = (
        allow(
            "ec2:DescribeRouteTables",
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeNetworkInterfaces",
            "elasticloadbalancing:DescribeLoadBalancers",
            because="finds the paths whose connections security groups can't cut",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Kind of path to what was found of it. Failed, after the rest, if one can't be read."""
        interfaces = incident.subject.interfaces
        subnets = sorted({str(i["SubnetId"]) for i in interfaces})
        vpcs = sorted({str(i["VpcId"]) for i in interfaces})
        asks: dict[str, Callable[[], Found]] = {
            "routes": lambda: _routes(incident, subnets, vpcs),
            "endpoints": lambda: _endpoints(incident, vpcs),
            "services": lambda: _services(incident, vpcs),
            "network load balancers": lambda: _balancers(incident, vpcs),
            "DNS": lambda: _resolvers(incident, vpcs),
        }
        answers = {kind: incident.aws.spawn(ask) for kind, ask in asks.items()}
        observation: dict[str, Found] = {}
        failures = []
        for kind, answer in answers.items():
            try:
                observation[kind] = answer.result()
            except Exception as error:
                failures.append(f"{kind}: {explain(error)}")
        _tell(incident, observation, failures)
        _tell_manager(incident)
        if failures:
            raise SomeFailed(failures)
        return observation

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """Nothing: there is nothing to do but to tell."""
        return ()


def _tell(incident: Incident[Scene], observation: Mapping[str, Found], failures: list[str]) -> None:
    for line in ALWAYS:
        incident.risk(line)
    for vpc in observation.get("DNS", ()):
        incident.risk(
            f"DNS through the resolver of {vpc} is not cut, and can carry data out: block domains "
            "with Route 53 Resolver DNS Firewall"
        )
    for kind, found in observation.items():
        if kind != "DNS":
            for path in found:
                incident.risk(f"always tracked, so open connections live on until idle: {path}")
    if any(found for kind, found in observation.items() if kind != "DNS"):
        incident.risk(f"of the always tracked: {ADVICE}")
    for line in failures:
        incident.risk(f"not known which connections live on: {line}")


def _tell_manager(incident: Incident[Scene]) -> None:
    """EC2 refuses many changes of an instance that a service manages: what then can be done."""
    if service := managed_service.manager(incident.subject.instance):
        incident.risk(
            f"{incident.target} is managed by {service}, so EC2 may refuse to change, stop or "
            f"protect it. What can be done then: {managed_service.advice(service)}"
        )


def _filters(**values: list[str]) -> list[FilterTypeDef]:
    return [
        {"Name": n.replace("__", ".").replace("_", "-"), "Values": v} for n, v in values.items()
    ]


def _routes(incident: Incident[Scene], subnets: list[str], vpcs: list[str]) -> Found:
    """Gateways that the instance's route tables lead to: their own, else the VPC's main one."""
    pages = incident.client("ec2").get_paginator("describe_route_tables")
    tables = [
        table
        for page in pages.paginate(Filters=_filters(vpc_id=vpcs))
        for table in page["RouteTables"]
    ]
    own = {
        str(association["SubnetId"])
        for table in tables
        for association in table.get("Associations", ())
        if association.get("SubnetId") in subnets
    }
    main_counts = own != set(subnets)
    found = {
        gateway_name
        for table in tables
        if any(
            a.get("SubnetId") in subnets or (a.get("Main") and main_counts)
            for a in table.get("Associations", ())
        )
        for route in table.get("Routes", ())
        if (gateway_name := _gateway(route))
    }
    return sorted(found)


def _gateway(route: RouteTypeDef) -> str:
    gateway = str(route.get("GatewayId", ""))
    if route.get("NatGatewayId"):
        return f"NAT gateway {route['NatGatewayId']}"
    if route.get("EgressOnlyInternetGatewayId"):
        return f"egress-only internet gateway {route['EgressOnlyInternetGatewayId']}"
    if gateway.startswith("vpce-") and "DestinationPrefixListId" not in route:
        return f"firewall or Gateway Load Balancer endpoint {gateway}"
    return ""


def _endpoints(incident: Incident[Scene], vpcs: list[str]) -> Found:
    """PrivateLink interfaces, and the gateway endpoint of DynamoDB."""
    pages = incident.client("ec2").get_paginator("describe_vpc_endpoints")
    return sorted(
        f"{endpoint['VpcEndpointType']} endpoint {endpoint['VpcEndpointId']} "
        f"({endpoint['ServiceName']})"
        for page in pages.paginate(Filters=_filters(vpc_id=vpcs))
        for endpoint in page["VpcEndpoints"]
        if endpoint["VpcEndpointType"] == "Interface"
        or str(endpoint["ServiceName"]).endswith(".dynamodb")
    )


def _services(incident: Incident[Scene], vpcs: list[str]) -> Found:
    filters = _filters(vpc_id=vpcs, interface_type=sorted(MANAGED))
    pages = incident.client("ec2").get_paginator("describe_network_interfaces")
    kinds = {
        str(interface["InterfaceType"])
        for page in pages.paginate(Filters=filters)
        for interface in page["NetworkInterfaces"]
    }
    return sorted(MANAGED[kind] for kind in kinds)


def _balancers(incident: Incident[Scene], vpcs: list[str]) -> Found:
    pages = incident.client("elbv2").get_paginator("describe_load_balancers").paginate()
    return sorted(
        f"Network Load Balancer {balancer['LoadBalancerName']} (in this VPC)"
        for page in pages
        for balancer in page["LoadBalancers"]
        if balancer["Type"] == "network" and balancer.get("VpcId") in vpcs
    )


def _resolvers(incident: Incident[Scene], vpcs: list[str]) -> Found:
    """The VPCs whose resolver answers; where that can't be read, it is taken to."""
    return [vpc for vpc in vpcs if _has_resolver(incident, vpc)]


def _has_resolver(incident: Incident[Scene], vpc: str) -> bool:
    try:
        answer = incident.client("ec2").describe_vpc_attribute(
            VpcId=vpc, Attribute="enableDnsSupport"
        )
    except Exception as error:
        incident.note(
            f"{vpc}: not known if its resolver is on, so it is taken to: {explain(error)}"
        )
        return True
    return bool(answer["EnableDnsSupport"]["Value"])
