"""Whether a forensic VPC is closed: no way out but to AWS's own endpoints, and its groups exact.

Without a trust document the region's manifest alone says which VPC it is. Evidence that is mounted
in a VPC with a way out, or in reach of others, is evidence no more: so this is proven before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from contract import Manifest, Rules, permission_rules
from responders.aws import Aws
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, RouteTypeDef

PERMISSIONS = (
    allow(
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeRouteTables",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeNatGateways",
        "ec2:DescribeVpcPeeringConnections",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeSecurityGroups",
        because="proves that the forensic VPC is closed before evidence is mounted in it",
    ),
)
HTTPS = 443
SERVICES = {"s3", "ssm", "ssmmessages", "ec2messages", "kms", "logs", "sts", "ebs", "ec2"}
"""The last words of the names of AWS's services to which there may be an endpoint."""


def faults_of(aws: Aws, region: str, manifest: Manifest) -> Iterator[str]:
    """A line for each thing that makes the VPC unfit; none where it is closed.

    Errors of AWS go up: what can't be looked at is not proven.
    """
    vpc = manifest.forensic_vpc
    ec2 = aws.client("ec2", region)
    known = ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Vpcs"]
    if not known:
        yield f"{vpc} is not there"
        return
    looks = (_routes, _gateways, _peerings, _endpoints, _subnets, _groups)
    asked = [aws.spawn(lambda look=look: list(look(aws, region, manifest))) for look in looks]
    for answer in asked:
        yield from answer.result()


def _of_vpc(manifest: Manifest, name: str = "vpc-id") -> list[FilterTypeDef]:
    return [{"Name": name, "Values": [manifest.forensic_vpc]}]


def _routes(aws: Aws, region: str, manifest: Manifest) -> Iterator[str]:
    """Every route stays in the VPC or goes to a gateway endpoint, which are `vpce-…`."""
    pages = aws.client("ec2", region).get_paginator("describe_route_tables")
    for page in pages.paginate(Filters=_of_vpc(manifest)):
        for table in page["RouteTables"]:
            for route in table.get("Routes", ()):
                if target := _way_out(route):
                    yield f"{table['RouteTableId']} has a route out: {target}"


def _way_out(route: RouteTypeDef) -> str:
    """What a route leads to; empty where that is the VPC itself or an endpoint."""
    gateway = str(route.get("GatewayId", ""))
    if gateway == "local" or gateway.startswith("vpce-"):
        return ""
    targets = (
        str(value)
        for name, value in route.items()
        if name not in ("State", "Origin") and not name.startswith("Destination")
    )
    return gateway or next(targets, "an unknown target")


def _gateways(aws: Aws, region: str, manifest: Manifest) -> Iterator[str]:
    ec2 = aws.client("ec2", region)
    attached = _of_vpc(manifest, "attachment.vpc-id")
    for internet in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        yield f"an internet gateway is attached: {internet['InternetGatewayId']}"
    for nat in ec2.describe_nat_gateways(Filters=_of_vpc(manifest))["NatGateways"]:
        if nat["State"] in ("available", "pending"):
            yield f"it has a NAT gateway: {nat['NatGatewayId']}"


def _peerings(aws: Aws, region: str, manifest: Manifest) -> Iterator[str]:
    """Either side counts, and one that still waits to be accepted too."""
    ec2 = aws.client("ec2", region)
    for side in ("requester", "accepter"):
        named = _of_vpc(manifest, f"{side}-vpc-info.vpc-id")
        answer = ec2.describe_vpc_peering_connections(Filters=named)
        for peering in answer["VpcPeeringConnections"]:
            state = peering.get("Status", {}).get("Code", "")
            if state in ("active", "provisioning", "pending-acceptance", "initiating-request"):
                yield f"it is peered with another VPC: {peering['VpcPeeringConnectionId']}"


def _endpoints(aws: Aws, region: str, manifest: Manifest) -> Iterator[str]:
    """An endpoint of somebody's own service would be a way out as good as any."""
    pages = aws.client("ec2", region).get_paginator("describe_vpc_endpoints")
    for page in pages.paginate(Filters=_of_vpc(manifest)):
        for endpoint in page["VpcEndpoints"]:
            service = str(endpoint["ServiceName"])
            # `com.amazonaws.<region>.<service>`, in China with `cn.` before it; a service of
            # somebody's own is `com.amazonaws.vpce.<region>.vpce-svc-…`.
            own = service.removeprefix("cn.").removeprefix(f"com.amazonaws.{region}.")
            if own not in SERVICES:
                yield f"{endpoint['VpcEndpointId']} leads to {service}"


def _subnets(aws: Aws, region: str, manifest: Manifest) -> Iterator[str]:
    named = sorted(manifest.subnets.values())
    if not named:
        return
    answer = aws.client("ec2", region).describe_subnets(
        Filters=[{"Name": "subnet-id", "Values": named}]
    )
    known = {str(subnet["SubnetId"]): subnet for subnet in answer["Subnets"]}
    for name in named:
        if name not in known or known[name]["VpcId"] != manifest.forensic_vpc:
            yield f"the subnet {name} is not in it"
        elif known[name].get("MapPublicIpOnLaunch"):
            yield f"the subnet {name} gives public addresses"


def _groups(aws: Aws, region: str, manifest: Manifest) -> Iterator[str]:
    """The workstation's lets nothing in, and HTTPS out; the endpoints' lets HTTPS in from the VPC.

    Where HTTPS goes is bounded by the routes: there is none that leaves the VPC.
    """
    ids = sorted({manifest.workstation_group, manifest.endpoint_group} - {""})
    if not ids:
        return
    ec2 = aws.client("ec2", region)
    answer = ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": ids}])
    known = {str(group["GroupId"]): group for group in answer["SecurityGroups"]}
    for name in ids:
        group = known.get(name)
        if group is None or group.get("VpcId") != manifest.forensic_vpc:
            yield f"the group {name} is not in it"
            continue
        rules = Rules(
            permission_rules(group.get("IpPermissions", ())),
            permission_rules(group.get("IpPermissionsEgress", ())),
        )
        inward = name == manifest.endpoint_group
        closed, https = (rules.egress, rules.ingress) if inward else (rules.ingress, rules.egress)
        if closed or any(
            (r.protocol, r.from_port, r.to_port) != ("tcp", HTTPS, HTTPS) for r in https
        ):
            yield f"the group {name} has rules that were not prepared"
