"""A forensic VPC leads to the vault and to Systems Manager only, and its flows are logged."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import pytest

from components.endpoints import SERVICES, Tier
from lab.plain import PlainMocks
from lab.program import Program, Registration
from stacks.reading import BadConfig
from tests.preparation import (
    ACCOUNT,
    ORGANIZATION,
    OTHER,
    Counting,
    InvokeFailure,
    decide,
    many,
    policy,
    prepare,
)

BUCKET = f"arn:aws:s3:::cordon-vault-{ACCOUNT}-us-east-1"
VPC = "forensics-eu-west-1"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"


@cache
def program(tier: str = "warm", organization: str = "") -> Program:
    config = {"stacks": ["forensics", "account"], "tier": tier, "organizationId": organization}
    return prepare(config)


def get(name: str, **config: str) -> Registration:
    return program(**config).named(f"{VPC}-{name}")


def test_no_gateway_of_any_kind_leads_out() -> None:
    kinds = {r.type for r in program().registrations}
    for word in ("internetGateway", "natGateway", "egressOnly", "peering", "transit", "eip"):
        assert not any(re.search(word, kind, re.IGNORECASE) for kind in kinds)
    assert get("routes").inputs["routes"] == []
    vpc = get("vpc").inputs
    assert (vpc["enableDnsSupport"], vpc["enableDnsHostnames"]) == (True, True)
    assert "assignGeneratedIpv6CidrBlock" not in vpc
    for zone in ("eu-west-1a", "eu-west-1b"):
        assert get(f"subnet-{zone}").inputs["mapPublicIpOnLaunch"] is False
        association = get(f"routes-{zone}").inputs
        assert association["routeTableId"] == get("routes").id
        assert association["subnetId"] == get(f"subnet-{zone}").id


@pytest.mark.parametrize(
    ("letters", "used"),
    [("a", "a"), ("ba", "ab"), ("ca", "ac"), ("cba", "abc"), ("fdecba", "abcd")],
)
def test_a_subnet_in_each_zone_whose_addresses_depend_on_the_letter_alone(
    letters: str, used: str
) -> None:
    """A zone that is new or gone moves no other zone's addresses."""
    mocks = PlainMocks(
        regions=["eu-west-1"], zones={"eu-west-1": [f"eu-west-1{letter}" for letter in letters]}
    )
    prepared = prepare({"stacks": ["forensics"]}, mocks=mocks)
    vpc = IPv4Network(prepared.named(f"{VPC}-vpc").inputs["cidrBlock"])
    parts = dict(zip("abcd", vpc.subnets(new_prefix=26), strict=True))
    subnets = prepared.of_type("aws:ec2/subnet:Subnet")
    assert {s.inputs["availabilityZone"]: s.inputs["cidrBlock"] for s in subnets} == {
        f"eu-west-1{letter}": str(parts[letter]) for letter in used
    }
    assert prepared.exports["forensicVpcs"]["eu-west-1"]["subnets"].keys() == {
        f"eu-west-1{letter}" for letter in used
    }
    zone_lookups = [a for t, a in mocks.invokes if t.endswith(":getAvailabilityZones")]
    assert all("state" not in a for a in zone_lookups), "a zone that is impaired stays in the plan"


def test_a_region_without_a_zone_to_use_is_refused() -> None:
    mocks = Counting(regions=["eu-west-1"], zones={"eu-west-1": ["eu-west-1f"]})
    with pytest.raises(BadConfig, match="cordon:forensicRegions: eu-west-1 has no zone"):
        prepare({"stacks": ["forensics"]}, mocks=mocks)
    assert mocks.created == []


SERVICE = "com.amazonaws.eu-west-1."


def endpoints_of(program: Program) -> dict[str, Any]:
    """The subnets of each interface endpoint."""
    interfaces = [
        r for r in program.of_type(ENDPOINT) if r.inputs["vpcEndpointType"] == "Interface"
    ]
    return {
        r.inputs["serviceName"].removeprefix(SERVICE): r.inputs["subnetIds"] for r in interfaces
    }


def test_an_endpoint_goes_to_a_zone_that_offers_its_service() -> None:
    """An empty list is what GovCloud answers: it does not say which zones."""
    offers = {f"{SERVICE}ssm": ["eu-west-1b", "eu-west-1c"], f"{SERVICE}ssmmessages": []}
    mocks = PlainMocks(regions=["eu-west-1"], offers=offers)
    prepared = prepare({"stacks": ["forensics"], "tier": "warm"}, mocks=mocks)
    of_zone = {z: prepared.named(f"{VPC}-subnet-eu-west-1{z}").id for z in "ab"}
    assert endpoints_of(prepared) == {"ssm": [of_zone["b"]], "ssmmessages": [of_zone["a"]]}


def lacking(service: str) -> Counting:
    """An account whose one region does not have this endpoint service."""

    def answer(args: dict[str, Any]) -> dict[str, Any]:
        if args["serviceName"] == SERVICE + service:
            raise InvokeFailure("no matching EC2 VPC Endpoint Service found")
        return {"id": "x", "availabilityZones": ["eu-west-1a"]}

    token = "aws:ec2/getVpcEndpointService:getVpcEndpointService"
    return Counting(regions=["eu-west-1"], answers={token: answer})


def test_a_service_that_the_region_lacks_is_left_out_or_refused() -> None:
    hot = {"stacks": ["forensics"], "tier": "hot"}
    without_old_agents = prepare(hot, mocks=lacking("ec2messages"))
    assert endpoints_of(without_old_agents).keys() == {"ssm", "ssmmessages", "kms", "logs"}
    with pytest.raises(BadConfig, match=r"cordon:tiers: eu-west-1: none of .* for ssmmessages"):
        prepare(hot, mocks=(mocks := lacking("ssmmessages")))
    assert mocks.created == []


def test_34_regions_have_34_networks_that_do_not_overlap() -> None:
    made = prepare({"stacks": ["forensics"]}, mocks=many(34))
    networks = [IPv4Network(v.inputs["cidrBlock"]) for v in made.of_type("aws:ec2/vpc:Vpc")]
    assert len(networks) == 34
    assert not any(a.overlaps(b) for a, b in combinations(networks, 2))


def test_the_default_group_is_stripped() -> None:
    group = get("default-group")
    assert group.type == "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    assert group.inputs["vpcId"] == get("vpc").id
    assert (group.inputs["ingress"], group.inputs["egress"]) == ([], [])


def test_every_flow_is_logged_under_the_region_s_key_and_outlives_the_stack() -> None:
    log, group = get("flow-log").inputs, get("flow-logs")
    assert log["trafficType"] == "ALL"
    assert log["vpcId"] == get("vpc").id
    assert log["logDestination"] == group.outputs["arn"]
    assert log["iamRoleArn"] == program().named("flow-logs-role").outputs["arn"]
    assert group.inputs["kmsKeyId"] == program().named("key-eu-west-1-key").outputs["arn"]
    assert group.inputs["retentionInDays"] == 400
    assert group.inputs["namePrefix"].startswith("/cordon/")
    assert group.retain_on_delete


def test_a_workstation_takes_nothing_in_and_sends_https_to_endpoints_and_s3_only() -> None:
    group = get("workstation-group").inputs
    assert group["ingress"] == []
    assert all(
        (r["protocol"], r["fromPort"], r["toPort"]) == ("tcp", 443, 443) for r in group["egress"]
    )
    peers = [{k: v for k, v in r.items() if k in PEERS} for r in group["egress"]]
    assert peers == [
        {"securityGroups": [get("endpoint-group").id]},
        {"prefixListIds": [get("s3").outputs["prefixListId"]]},
    ]


PEERS = ("cidrBlocks", "ipv6CidrBlocks", "securityGroups", "prefixListIds", "self")


def test_endpoints_take_https_from_the_vpc_and_send_nothing() -> None:
    group = get("endpoint-group").inputs
    assert group["egress"] == []
    [rule] = group["ingress"]
    assert (rule["protocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 443, 443)
    assert {k: v for k, v in rule.items() if k in PEERS} == {
        "cidrBlocks": [get("vpc").inputs["cidrBlock"]]
    }


@pytest.mark.parametrize("tier", list(Tier))
def test_the_tier_decides_which_interface_endpoints_stand(tier: Tier) -> None:
    endpoints = [
        e for e in program(tier.value).of_type(ENDPOINT) if e.inputs["region"] == "eu-west-1"
    ]
    interfaces = [e for e in endpoints if e.inputs["vpcEndpointType"] == "Interface"]
    assert [e.inputs["serviceName"] for e in interfaces] == [
        f"com.amazonaws.eu-west-1.{service}" for service in SERVICES[tier]
    ]
    assert [e.name for e in endpoints if e not in interfaces] == [f"{VPC}-s3"]
    for endpoint in interfaces:
        assert endpoint.inputs["privateDnsEnabled"] is True
        assert endpoint.inputs["subnetIds"] == [get("subnet-eu-west-1a", tier=tier.value).id]
        assert endpoint.inputs["securityGroupIds"] == [get("endpoint-group", tier=tier.value).id]


def test_a_region_overrides_the_tier() -> None:
    config = {"stacks": ["forensics"], "tier": "warm", "tiers": {"eu-west-1": "cold"}}
    made = prepare(config)
    interfaces = [
        e.inputs["region"]
        for e in made.of_type(ENDPOINT)
        if e.inputs["vpcEndpointType"] == "Interface"
    ]
    assert interfaces == ["us-east-1", "us-east-1"]


def test_an_interface_endpoint_serves_this_account_s_credentials_only() -> None:
    found = policy(get("ssm"))
    who = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-workstation"
    own, other = ({"aws__PrincipalAccount": a} for a in (ACCOUNT, OTHER))
    assert decide(found, who, "ssm:UpdateInstanceInformation", "*", **own) == "allow"
    assert decide(found, who, "ssm:UpdateInstanceInformation", "*", **other) == "nothing"


def s3(resource: str, organization: str, **context: str) -> str:
    found: list[dict[str, Any]] = policy(get("s3", organization=organization))
    return decide(found, "*", "s3:PutObject", resource, **context)


def test_s3_leads_to_the_vault_and_with_an_organization_to_its_buckets() -> None:
    inside, outside = ({"aws__ResourceOrgID": o} for o in (ORGANIZATION, "o-anotherorg99"))
    for organization in ("", ORGANIZATION):
        assert s3(f"{BUCKET}/cases/x", organization, **outside) == "allow"
        assert s3("arn:aws:s3:::loot/x", organization, **outside) == "nothing"
        assert s3("arn:aws:s3:::loot/x", organization) == "nothing"
    assert s3("arn:aws:s3:::images/x", ORGANIZATION, **inside) == "allow"
    assert s3("arn:aws:s3:::images/x", "", **inside) == "nothing"
    gateway = get("s3").inputs
    assert gateway["vpcEndpointType"] == "Gateway"
    assert gateway["routeTableIds"] == [get("routes").id]


def test_the_forensic_vpc_has_isolation_groups_too() -> None:
    reached = prepare({"stacks": ["forensics", "account"], "responderCidrs": ["198.51.100.0/24"]})
    [rule] = reached.named(f"{VPC}-isolation-vpc-isolate").inputs["ingress"]
    assert rule["cidrBlocks"] == ["198.51.100.0/24"]
    for purpose in ("isolate", "untrack"):
        group = get(f"isolation-vpc-{purpose}")
        assert group.inputs["vpcId"] == get("vpc").id
        assert group.inputs["tags"]["cordon:purpose"] == purpose


def test_the_forensic_regions_can_be_fewer_than_the_prepared_ones() -> None:
    config = {"stacks": ["account", "forensics"], "forensicRegions": ["us-east-1"]}
    made = prepare(config)
    assert made.exports["forensicVpcs"].keys() == {"us-east-1"}
    assert made.exports["groups"].keys() == {"eu-west-1", "us-east-1"}
    assert made.exports["cost"]["regions"]["eu-west-1"]["tier"] == "no forensic VPC"
