"""What is examined may be malware: the network where that happens leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from contract import Purpose
from policies.rules import Conf, Plan, blocks, first, purpose, rule

GATEWAYS = (
    "aws_internet_gateway",
    "aws_egress_only_internet_gateway",
    "aws_vpn_gateway",
    "aws_ec2_transit_gateway_vpc_attachment",
    "aws_vpc_peering_connection",
)
WAYS_OUT = (
    "carrier_gateway_id",
    "core_network_arn",
    "egress_only_gateway_id",
    "gateway_id",
    "local_gateway_id",
    "nat_gateway_id",
    "network_interface_id",
    "transit_gateway_id",
    "vpc_peering_connection_id",
)
"""Targets that take a route out of a VPC, as Terraform names them; `vpc_endpoint_id` does not."""


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """No gateway, no NAT, no route but local ones, and no public addresses."""
    if purpose(conf) != Purpose.FORENSICS:
        return None
    return [*_gateways(conf, plan), *_subnets(conf, plan), *_routes(conf, plan)]


def _gateways(conf: Conf, plan: Plan) -> Iterator[str]:
    for kind in GATEWAYS:
        keys = ("vpc_id", "peer_vpc_id") if "peering" in kind else ("vpc_id",)
        if any(plan.pointing(kind, key, conf) for key in keys):
            yield f"has an {kind}"


def _subnets(conf: Conf, plan: Plan) -> Iterator[str]:
    for subnet in plan.pointing("aws_subnet", "vpc_id", conf):
        if first(subnet, "map_public_ip_on_launch"):
            yield "has a subnet that gives public addresses"
        if plan.pointing("aws_nat_gateway", "subnet_id", subnet):
            yield "has an aws_nat_gateway"


def _routes(conf: Conf, plan: Plan) -> Iterator[str]:
    tables = plan.pointing("aws_route_table", "vpc_id", conf)
    routes = [route for table in tables for route in blocks(table, "route")]
    for table in tables:
        routes += plan.pointing("aws_route", "route_table_id", table)
    for route in routes:
        for key in WAYS_OUT:
            if first(route, key) not in (None, "", "local"):
                yield f"has a route by its {key}"


check = rule(
    "CKV_CORDON_11",
    "The forensic VPC has no way out",
    ["aws_vpc"],
    "NETWORKING",
    judge,
)
