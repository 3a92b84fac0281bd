"""VPCs and what is in them."""

from __future__ import annotations

from typing import Any

from lab.engine.resource import Attributes, Created, Existing, Kind, New, Read, exists
from lab.engine.tags import ec2_tags


def _arn(new: New, kind: str, resource: str) -> str:
    return f"arn:aws:ec2:{new.region}:{new.account}:{kind}/{resource}"


def _vpc(new: New) -> Created:
    ec2 = new.client("ec2")
    vpc = ec2.create_vpc(
        CidrBlock=new.inputs["cidrBlock"],
        **new.renamed(assignGeneratedIpv6CidrBlock="AmazonProvidedIpv6CidrBlock"),
        **new.tag_specification("vpc"),
    )["Vpc"]["VpcId"]
    _dns(ec2, vpc, new)
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    [table] = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
    [acl] = ec2.describe_network_acls(Filters=of_vpc)["NetworkAcls"]
    [group] = ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]
    return vpc, {
        "arn": _arn(new, "vpc", vpc),
        "ownerId": new.account,
        "mainRouteTableId": table["RouteTableId"],
        "defaultRouteTableId": table["RouteTableId"],
        "defaultNetworkAclId": acl["NetworkAclId"],
        "defaultSecurityGroupId": group["GroupId"],
    }


def _dns(ec2: Any, vpc: str, new: New) -> None:
    names = new.renamed(
        enableDnsSupport="EnableDnsSupport", enableDnsHostnames="EnableDnsHostnames"
    )
    for name, value in names.items():
        ec2.modify_vpc_attribute(VpcId=vpc, **{name: {"Value": value}})


def _subnet(new: New) -> Created:
    ec2 = new.client("ec2")
    subnet = ec2.create_subnet(
        VpcId=new.inputs["vpcId"],
        **new.renamed(
            cidrBlock="CidrBlock",
            availabilityZone="AvailabilityZone",
            ipv6CidrBlock="Ipv6CidrBlock",
        ),
        **new.tag_specification("subnet"),
    )["Subnet"]
    _public_addresses(ec2, subnet["SubnetId"], new)
    attributes = {
        "arn": _arn(new, "subnet", subnet["SubnetId"]),
        "ownerId": new.account,
        "availabilityZone": subnet["AvailabilityZone"],
    }
    return subnet["SubnetId"], attributes


def _public_addresses(ec2: Any, subnet: str, new: New) -> None:
    ec2.modify_subnet_attribute(
        SubnetId=subnet,
        MapPublicIpOnLaunch={"Value": bool(new.inputs.get("mapPublicIpOnLaunch"))},
    )


def _route_table(new: New) -> Created:
    ec2 = new.client("ec2")
    table = ec2.create_route_table(
        VpcId=new.inputs["vpcId"], **new.tag_specification("route-table")
    )["RouteTable"]["RouteTableId"]
    _add_routes(ec2, table, new)
    return table, {"arn": _arn(new, "route-table", table), "ownerId": new.account}


ROUTE = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "gatewayId": "GatewayId",
    "natGatewayId": "NatGatewayId",
}


def _add_routes(ec2: Any, table: str, new: New) -> None:
    for route in new.inputs.get("routes") or ():
        names = {aws: route[wire] for wire, aws in ROUTE.items() if route.get(wire)}
        ec2.create_route(RouteTableId=table, **names)


def _association(new: New) -> Created:
    association = new.client("ec2").associate_route_table(
        RouteTableId=new.inputs["routeTableId"],
        **new.renamed(subnetId="SubnetId", gatewayId="GatewayId"),
    )["AssociationId"]
    return association, {}


def _endpoint(new: New) -> Created:
    created = new.client("ec2").create_vpc_endpoint(
        VpcId=new.inputs["vpcId"],
        ServiceName=new.inputs["serviceName"],
        VpcEndpointType=new.inputs.get("vpcEndpointType", "Gateway"),
        **new.renamed(
            subnetIds="SubnetIds",
            securityGroupIds="SecurityGroupIds",
            routeTableIds="RouteTableIds",
            policy="PolicyDocument",
            privateDnsEnabled="PrivateDnsEnabled",
        ),
        **new.tag_specification("vpc-endpoint"),
    )["VpcEndpoint"]
    endpoint = created["VpcEndpointId"]
    attributes: dict[str, Any] = {
        "arn": _arn(new, "vpc-endpoint", endpoint),
        "ownerId": new.account,
        "state": created["State"].lower(),
        "networkInterfaceIds": created.get("NetworkInterfaceIds", []),
    }
    if new.inputs.get("vpcEndpointType", "Gateway") == "Gateway":
        attributes["prefixListId"] = _prefix_list(new)
    return endpoint, attributes


def _prefix_list(new: New) -> str:
    """The list of the service's networks, which a group's rule can name."""
    named = [{"Name": "prefix-list-name", "Values": [new.inputs["serviceName"]]}]
    lists = new.client("ec2").describe_managed_prefix_lists(Filters=named)["PrefixLists"]
    return str(lists[0]["PrefixListId"])


def _flow_log(new: New) -> Created:
    answer = new.client("ec2").create_flow_logs(
        ResourceIds=[new.inputs["vpcId"]],
        ResourceType="VPC",
        **new.renamed(
            trafficType="TrafficType",
            logDestination="LogDestination",
            logDestinationType="LogDestinationType",
            iamRoleArn="DeliverLogsPermissionArn",
            maxAggregationInterval="MaxAggregationInterval",
        ),
        **new.tag_specification("vpc-flow-log"),
    )
    if answer.get("Unsuccessful"):
        raise RuntimeError(f"the flow log was not created: {answer['Unsuccessful']}")
    log = answer["FlowLogIds"][0]
    return log, {"arn": _arn(new, "vpc-flow-log", log)}


def _own_routes(existing: Existing) -> list[Attributes]:
    """Routes that are neither the VPC's own nor a gateway endpoint's, in wire form."""
    [table] = existing.client("ec2").describe_route_tables(RouteTableIds=[existing.id])[
        "RouteTables"
    ]
    return [
        {wire: route[aws] for wire, aws in ROUTE.items() if route.get(aws)}
        for route in table["Routes"]
        if not route.get("GatewayId", "").startswith(("local", "vpce-"))
    ]


def _replace_routes(existing: Existing) -> None:
    ec2 = existing.client("ec2")
    for route in _own_routes(existing):
        destinations = {
            aws: route[wire] for wire, aws in ROUTE.items() if wire in route and "Block" in wire
        }
        ec2.delete_route(RouteTableId=existing.id, **destinations)
    _add_routes(ec2, existing.id, existing)


def _changed_routes(existing: Existing) -> Attributes:
    routes = _own_routes(existing)
    return {} if routes == list(existing.inputs.get("routes") or ()) else {"routes": routes}


def _association_exists(existing: Existing) -> bool:
    tables = existing.client("ec2").describe_route_tables(
        RouteTableIds=[existing.inputs["routeTableId"]]
    )
    return any(
        association.get("RouteTableAssociationId") == existing.id
        for association in tables["RouteTables"][0]["Associations"]
    )


def _modify_endpoint(existing: Existing) -> None:
    """Adds and takes away what differs; the policy is replaced."""
    parts: dict[str, Any] = existing.renamed(policy="PolicyDocument")
    for wire, word in (
        ("subnetIds", "SubnetIds"),
        ("securityGroupIds", "SecurityGroupIds"),
        ("routeTableIds", "RouteTableIds"),
    ):
        declared, before = (
            set(existing.inputs.get(wire) or ()),
            set(existing.before.get(wire) or ()),
        )
        parts |= {
            f"Add{word}": sorted(declared - before),
            f"Remove{word}": sorted(before - declared),
        }
    existing.client("ec2").modify_vpc_endpoint(
        VpcEndpointId=existing.id, **{key: value for key, value in parts.items() if value}
    )


def _endpoint_exists(existing: Existing) -> bool:
    endpoints = existing.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[existing.id])[
        "VpcEndpoints"
    ]
    return any(endpoint["State"].lower() != "deleted" for endpoint in endpoints)


def _ask(operation: str, argument: str, answer: str) -> Read:
    """Whether EC2 describes the resource by its id."""
    return exists(
        lambda existing: getattr(existing.client("ec2"), operation)(**{argument: [existing.id]})[
            answer
        ]
    )


KINDS = {
    "aws:ec2/vpc:Vpc": Kind(
        _vpc,
        _ask("describe_vpcs", "VpcIds", "Vpcs"),
        lambda existing: existing.client("ec2").delete_vpc(VpcId=existing.id),
        {
            "enableDnsSupport": lambda existing: _dns(
                existing.client("ec2"), existing.id, existing
            ),
            "enableDnsHostnames": lambda existing: _dns(
                existing.client("ec2"), existing.id, existing
            ),
            "tags": ec2_tags,
        },
        ["InvalidVpcID.NotFound"],
    ),
    "aws:ec2/subnet:Subnet": Kind(
        _subnet,
        _ask("describe_subnets", "SubnetIds", "Subnets"),
        lambda existing: existing.client("ec2").delete_subnet(SubnetId=existing.id),
        {
            "mapPublicIpOnLaunch": lambda existing: _public_addresses(
                existing.client("ec2"), existing.id, existing
            ),
            "tags": ec2_tags,
        },
        ["InvalidSubnetID.NotFound"],
    ),
    "aws:ec2/routeTable:RouteTable": Kind(
        _route_table,
        _changed_routes,
        lambda existing: existing.client("ec2").delete_route_table(RouteTableId=existing.id),
        {"routes": _replace_routes, "tags": ec2_tags},
        ["InvalidRouteTableID.NotFound"],
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Kind(
        _association,
        exists(_association_exists),
        lambda existing: existing.client("ec2").disassociate_route_table(AssociationId=existing.id),
        absent=["InvalidRouteTableID.NotFound", "InvalidAssociationID.NotFound"],
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Kind(
        _endpoint,
        exists(_endpoint_exists),
        lambda existing: existing.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[existing.id]),
        {
            "policy": _modify_endpoint,
            "subnetIds": _modify_endpoint,
            "securityGroupIds": _modify_endpoint,
            "routeTableIds": _modify_endpoint,
            "tags": ec2_tags,
        },
        ["InvalidVpcEndpointId.NotFound"],
    ),
    "aws:ec2/flowLog:FlowLog": Kind(
        _flow_log,
        _ask("describe_flow_logs", "FlowLogIds", "FlowLogs"),
        lambda existing: existing.client("ec2").delete_flow_logs(FlowLogIds=[existing.id]),
        {"tags": ec2_tags},
        ["InvalidFlowLogId.NotFound"],
    ),
}
