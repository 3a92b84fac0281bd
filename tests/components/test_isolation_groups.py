"""The prepared groups have exactly the rules that responders will look for, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from contract import Purpose, Rules, group_rules, permission_rules
from lab.plain import PlainMocks
from lab.program import Program, Registration
from tests.preparation import prepare

TOKEN = "aws:ec2/securityGroup:SecurityGroup"
CIDRS = ["198.51.100.0/24", "2001:db8:7::/48", "203.0.113.7/32"]


def prepared(cidrs: list[str]) -> Program:
    mocks = PlainMocks(regions=["eu-west-1"], vpcs={"eu-west-1": ["vpc-a", "vpc-b"]})
    return prepare({"responderCidrs": cidrs}, mocks=mocks)


def rules(group: Registration) -> Rules:
    """The declared rules as EC2 would describe them."""
    return Rules(*(permission_rules([_described(r) for r in group.inputs[way]]) for way in WAYS))


WAYS = ("ingress", "egress")


def _described(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "IpProtocol": rule["protocol"],
        "FromPort": rule["fromPort"],
        "ToPort": rule["toPort"],
        "IpRanges": [{"CidrIp": c} for c in rule.get("cidrBlocks", [])],
        "Ipv6Ranges": [{"CidrIpv6": c} for c in rule.get("ipv6CidrBlocks", [])],
    }


@pytest.mark.parametrize("cidrs", [[], CIDRS[:1], CIDRS])
@pytest.mark.parametrize("purpose", [Purpose.ISOLATE, Purpose.UNTRACK])
def test_the_rules_are_those_of_the_contract(purpose: Purpose, cidrs: list[str]) -> None:
    for vpc in ("vpc-a", "vpc-b"):
        group = prepared(cidrs).named(f"isolation-eu-west-1-{vpc}-{purpose}")
        assert rules(group) == group_rules(purpose, cidrs)
        assert group.inputs["vpcId"] == vpc
        assert group.inputs["region"] == "eu-west-1"
        assert group.inputs["tags"]["cordon:purpose"] == purpose.value


def test_both_rule_lists_are_given_even_when_empty() -> None:
    """An omitted list would leave rules unmanaged, and drift unseen."""
    group = prepared([]).named("isolation-eu-west-1-vpc-a-isolate")
    assert group.inputs["ingress"] == []
    assert group.inputs["egress"] == []


def test_untrack_opens_both_families_both_ways() -> None:
    group = prepared([]).named("isolation-eu-west-1-vpc-a-untrack")
    for way in WAYS:
        [rule] = group.inputs[way]
        assert (rule["protocol"], rule["fromPort"], rule["toPort"]) == ("-1", 0, 0)
        assert rule["cidrBlocks"] == ["0.0.0.0/0"]
        assert rule["ipv6CidrBlocks"] == ["::/0"]


def test_name_and_description_never_vary_because_changing_them_replaces_the_group() -> None:
    without, with_cidrs = prepared([]), prepared(CIDRS)
    for group in without.of_type(TOKEN):
        other = with_cidrs.named(group.name)
        for key in ("name", "description", "vpcId"):
            assert group.inputs[key] == other.inputs[key]
        assert not group.inputs.get("revokeRulesOnDelete"), "up would read a group that is gone"
        assert not group.protect, "a protected group would block whoever deletes its VPC"
        assert not group.retain_on_delete
