"""What security groups can't cut: told when it is there, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.tell_residual_risks import TellResidualRisks
from responders.result import AlreadyInPlace, Failed, reason_of
from tests.responders.conftest import Scenario
from tests.responders.life import Life


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(TellResidualRisks(), scenario, calls, dict)


def told(life: Life) -> str:
    life.mutating()
    report = life.run()
    assert isinstance(report.result, AlreadyInPlace), reason_of(report.result)
    assert life.mutating() == []
    return "\n".join(report.risks)


def subnet(scenario: Scenario) -> str:
    found = scenario.client("ec2").describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [scenario.vpc]}]
    )
    return str(found["Subnets"][0]["SubnetId"])


def route(scenario: Scenario, *, own: bool, **target: Any) -> None:
    """A route in the subnet's own table, or in the VPC's main one."""
    ec2 = scenario.client("ec2")
    if own:
        table = ec2.create_route_table(VpcId=scenario.vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet(scenario))
    else:
        table = ec2.describe_route_tables(
            Filters=[
                {"Name": "vpc-id", "Values": [scenario.vpc]},
                {"Name": "association.main", "Values": ["true"]},
            ]
        )["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, **target)


def nat(scenario: Scenario) -> str:
    made = scenario.client("ec2").create_nat_gateway(SubnetId=subnet(scenario))
    return str(made["NatGateway"]["NatGatewayId"])


def test_what_every_instance_has(life: Life, scenario: Scenario) -> None:
    text = told(life)
    assert "ICMP" in text
    assert f"DNS through the resolver of {scenario.vpc}" in text
    assert "always tracked, so" not in text
    assert "--nacl" not in text


@pytest.mark.parametrize("own", [True, False], ids=["own table", "main table"])
def test_nat_gateway(life: Life, scenario: Scenario, own: bool) -> None:
    gateway = nat(scenario)
    route(scenario, own=own, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    text = told(life)
    assert f"NAT gateway {gateway}" in text
    assert "--nacl" in text


def test_a_main_table_that_is_not_used_counts_not(life: Life, scenario: Scenario) -> None:
    gateway = nat(scenario)
    route(scenario, own=False, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    ec2 = scenario.client("ec2")
    table = ec2.create_route_table(VpcId=scenario.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet(scenario))
    assert "NAT gateway" not in told(life)


def test_egress_only_gateway(life: Life, scenario: Scenario) -> None:
    made = scenario.client("ec2").create_egress_only_internet_gateway(VpcId=scenario.vpc)
    gateway = made["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    route(scenario, own=True, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=gateway)
    assert f"egress-only internet gateway {gateway}" in told(life)


def test_endpoints(life: Life, scenario: Scenario) -> None:
    ec2 = scenario.client("ec2")
    for kind, service in (("Interface", "ssm"), ("Gateway", "dynamodb"), ("Gateway", "s3")):
        ec2.create_vpc_endpoint(
            VpcId=scenario.vpc,
            VpcEndpointType=kind,
            ServiceName=f"com.amazonaws.{scenario.region}.{service}",
        )
    text = told(life)
    assert "Interface endpoint" in text
    assert ".dynamodb)" in text
    assert ".s3)" not in text


def test_network_load_balancer(life: Life, scenario: Scenario) -> None:
    client = scenario.client("elbv2")
    for name, kind in (("net", "network"), ("app", "application")):
        client.create_load_balancer(Name=name, Type=kind, Subnets=[subnet(scenario)])
    text = told(life)
    assert "Network Load Balancer net" in text
    assert "app" not in text.replace("application", "")


def test_services_by_their_interfaces(life: Life, scenario: Scenario) -> None:
    from moto.backends import get_backend

    made = scenario.client("ec2").create_network_interface(SubnetId=subnet(scenario))
    backend: Any = get_backend("ec2")["123456789012"][scenario.region]
    eni = backend.get_network_interface(made["NetworkInterface"]["NetworkInterfaceId"])
    eni.interface_type = "global_accelerator_managed"
    text = told(life)
    assert "Global Accelerator" in text
    assert "Lambda" not in text


def test_no_resolver_no_risk(life: Life, scenario: Scenario) -> None:
    scenario.client("ec2").modify_vpc_attribute(
        VpcId=scenario.vpc, EnableDnsSupport={"Value": False}
    )
    assert "DNS" not in told(life)


def test_a_resolver_that_cannot_be_asked_is_taken_to_answer(life: Life, faults: Faults) -> None:
    faults.deny("ec2", "DescribeVpcAttribute")
    assert "DNS through the resolver" in told(life)


def test_what_cannot_be_read_is_told_and_hides_nothing(
    life: Life, scenario: Scenario, faults: Faults
) -> None:
    route(scenario, own=True, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat(scenario))
    faults.deny("elbv2", "DescribeLoadBalancers")
    report = life.run()
    assert isinstance(report.result, Failed)
    text = "\n".join(report.risks)
    assert "not known which connections live on: network load balancers" in text
    assert "NAT gateway" in text
