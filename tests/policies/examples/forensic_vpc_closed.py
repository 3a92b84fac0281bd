from typing import Any

from contract import Purpose
from policies.bridge.program import Resource
from tests.policies.samples import kit, made

VPC = made("aws:ec2/vpc:Vpc", "forensic", cidrBlock="10.0.0.0/24", tags=kit(Purpose.FORENSICS))
OTHER_VPC = made("aws:ec2/vpc:Vpc", "other", cidrBlock="10.1.0.0/24")
SUBNET = made("aws:ec2/subnet:Subnet", "subnet", {"vpcId": VPC}, mapPublicIpOnLaunch=False)
TABLE = made("aws:ec2/routeTable:RouteTable", "table", {"vpcId": VPC}, routes=[])
GATEWAY = made("aws:ec2/internetGateway:InternetGateway", "gateway", {"vpcId": VPC})


def routed(**target: Any) -> Resource:
    route = {"cidrBlock": "0.0.0.0/0", **target}
    return made("aws:ec2/routeTable:RouteTable", "routed", {"vpcId": VPC}, routes=[route])


GOOD = [
    [VPC, SUBNET, TABLE],
    [VPC, routed(gatewayId="local")],
    [VPC, routed(vpcEndpointId="vpce-1")],
    [VPC, OTHER_VPC, made("aws:ec2/internetGateway:InternetGateway", "i", {"vpcId": OTHER_VPC})],
]
BAD = [
    ("has an aws_internet_gateway", [VPC, GATEWAY]),
    (
        "has an aws_egress_only_internet_gateway",
        [
            VPC,
            made(
                "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", "e", {"vpcId": VPC}
            ),
        ],
    ),
    (
        "has an aws_vpc_peering_connection",
        [
            VPC,
            OTHER_VPC,
            made(
                "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
                "peering",
                {"vpcId": OTHER_VPC, "peerVpcId": VPC},
            ),
        ],
    ),
    (
        "has an aws_nat_gateway",
        [VPC, SUBNET, made("aws:ec2/natGateway:NatGateway", "nat", {"subnetId": SUBNET})],
    ),
    (
        "has a subnet that gives public addresses",
        [VPC, made("aws:ec2/subnet:Subnet", "open", {"vpcId": VPC}, mapPublicIpOnLaunch=True)],
    ),
    ("has a route by its transit_gateway_id", [VPC, routed(transitGatewayId="tgw-1")]),
    ("has a route by its gateway_id", [VPC, routed(gatewayId="igw-1")]),
    (
        "has a route by its network_interface_id",
        [
            VPC,
            TABLE,
            made("aws:ec2/route:Route", "r", {"routeTableId": TABLE}, networkInterfaceId="eni-1"),
        ],
    ),
]
OTHER = [[OTHER_VPC]]
