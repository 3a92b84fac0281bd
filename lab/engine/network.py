"""VPCs and what is in them."""

from __future__ import annotations

from typing import Any

from lab.engine.resource import Created, New


def _arn(new: New, kind: str, resource: str) -> str:
    return f"arn:aws:ec2:{new.region}:{new.account}:{kind}/{resource}"


def _vpc(new: New) -> Created:
    ec2 = new.client("ec2")
    vpc = ec2.create_vpc(
        CidrBlock=new.inputs["cidrBlock"],
        **new.some(assignGeneratedIpv6CidrBlock="AmazonProvidedIpv6CidrBlock"),
        **new.tag_specification("vpc"),
    )["Vpc"]["VpcId"]
    for wire, name in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        if wire in new.inputs:
            ec2.modify_vpc_attribute(VpcId=vpc, **{name: {"Value": new.inputs[wire]}})
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


def _subnet(new: New) -> Created:
    ec2 = new.client("ec2")
    subnet = ec2.create_subnet(
        VpcId=new.inputs["vpcId"],
        **new.some(
            cidrBlock="CidrBlock",
            availabilityZone="AvailabilityZone",
            ipv6CidrBlock="Ipv6CidrBlock",
        ),
        **new.tag_specification("subnet"),
    )["Subnet"]
    ec2.modify_subnet_attribute(
        SubnetId=subnet["SubnetId"],
        MapPublicIpOnLaunch={"Value": bool(new.inputs.get("mapPublicIpOnLaunch"))},
    )
    attributes = {
        "arn": _arn(new, "subnet", subnet["SubnetId"]),
        "ownerId": new.account,
        "availabilityZone": subnet["AvailabilityZone"],
    }
    return subnet["SubnetId"], attributes


def _route_table(new: New) -> Created:
    ec2 = new.client("ec2")
    table = ec2.create_route_table(
        VpcId=new.inputs["vpcId"], **new.tag_specification("route-table")
    )["RouteTable"]["RouteTableId"]
    for route in new.inputs.get("routes") or ():
        names = {
            "cidrBlock": "DestinationCidrBlock",
            "ipv6CidrBlock": "DestinationIpv6CidrBlock",
            "gatewayId": "GatewayId",
            "natGatewayId": "NatGatewayId",
        }
        ec2.create_route(
            RouteTableId=table,
            **{aws: route[wire] for wire, aws in names.items() if route.get(wire)},
        )
    return table, {"arn": _arn(new, "route-table", table), "ownerId": new.account}


def _association(new: New) -> Created:
    association = new.client("ec2").associate_route_table(
        RouteTableId=new.inputs["routeTableId"],
        **new.some(subnetId="SubnetId", gatewayId="GatewayId"),
    )["AssociationId"]
    return association, {}


def _endpoint(new: New) -> Created:
    made = new.client("ec2").create_vpc_endpoint(
        VpcId=new.inputs["vpcId"],
        ServiceName=new.inputs["serviceName"],
        VpcEndpointType=new.inputs.get("vpcEndpointType", "Gateway"),
        **new.some(
            subnetIds="SubnetIds",
            securityGroupIds="SecurityGroupIds",
            routeTableIds="RouteTableIds",
            policy="PolicyDocument",
            privateDnsEnabled="PrivateDnsEnabled",
        ),
        **new.tag_specification("vpc-endpoint"),
    )["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    attributes: dict[str, Any] = {
        "arn": _arn(new, "vpc-endpoint", endpoint),
        "ownerId": new.account,
        "state": made["State"].lower(),
        "networkInterfaceIds": made.get("NetworkInterfaceIds", []),
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
    made = new.client("ec2").create_flow_logs(
        ResourceIds=[new.inputs["vpcId"]],
        ResourceType="VPC",
        **new.some(
            trafficType="TrafficType",
            logDestination="LogDestination",
            logDestinationType="LogDestinationType",
            iamRoleArn="DeliverLogsPermissionArn",
            maxAggregationInterval="MaxAggregationInterval",
        ),
        **new.tag_specification("vpc-flow-log"),
    )
    if made.get("Unsuccessful"):
        raise RuntimeError(f"the flow log was not created: {made['Unsuccessful']}")
    log = made["FlowLogIds"][0]
    return log, {"arn": _arn(new, "vpc-flow-log", log)}


CREATE = {
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/subnet:Subnet": _subnet,
    "aws:ec2/routeTable:RouteTable": _route_table,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _association,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:ec2/flowLog:FlowLog": _flow_log,
}
