"""What is prepared is what AWS says there is, but for what is to be left alone."""

from __future__ import annotations

from typing import Any

import pytest

from lab.plain import PlainMocks
from stacks.reading import BadConfig
from tests.preparation import Counting, InvokeFailure, prepare

VPCS = ["vpc-a", "vpc-ignored", "vpc-kept", "vpc-own"]
TAGS = {
    "vpc-ignored": {"cordon:ignore": "being deleted"},
    "vpc-kept": {"cordon:ignore": "false"},
    "vpc-own": {"cordon:purpose": "forensics"},
}


def test_every_vpc_but_ignored_ones_and_the_kit_s_own() -> None:
    mocks = PlainMocks(regions=["eu-west-1"], vpcs={"eu-west-1": VPCS}, vpc_tags=TAGS)
    program = prepare(mocks=mocks)
    groups = program.of_type("aws:ec2/securityGroup:SecurityGroup")
    assert sorted({g.inputs["vpcId"] for g in groups}) == ["vpc-a", "vpc-kept"]
    assert program.exports["ignoredVpcs"] == {"eu-west-1": ["vpc-ignored"]}
    assert program.exports["groups"]["eu-west-1"].keys() == {"vpc-a", "vpc-kept"}


def test_a_region_without_vpcs_is_prepared_all_the_same() -> None:
    mocks = PlainMocks(regions=["eu-west-1"], vpcs={"eu-west-1": []})
    program = prepare(mocks=mocks)
    assert program.exports["groups"] == {"eu-west-1": {}}
    assert program.exports["manifests"] == {"eu-west-1": "/cordon/manifest"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["ap-south-1", "eu-west-1", "us-east-1"]),
        ({"regions": ["eu-west-1"]}, ["eu-west-1"]),
        ({"exclude": ["us-east-1"]}, ["ap-south-1", "eu-west-1"]),
        ({"regions": ["us-east-1", "eu-west-1"], "exclude": ["ap-south-1"]}, None),
    ],
)
def test_regions_are_the_enabled_or_the_configured_ones(
    config: dict[str, Any], expected: list[str] | None
) -> None:
    mocks = PlainMocks(regions=["us-east-1", "eu-west-1", "ap-south-1"])
    program = prepare(config, mocks=mocks)
    assert program.exports["regions"] == (expected or ["eu-west-1", "us-east-1"])
    looked = {a["region"] for token, a in mocks.invokes if token == "aws:ec2/getVpcs:getVpcs"}
    assert looked == set(program.exports["regions"])


def test_a_plain_region_costs_three_lookups() -> None:
    mocks = PlainMocks()
    prepare(mocks=mocks)
    asked = [token for token, _ in mocks.invokes if token == "aws:ec2/getVpcs:getVpcs"]
    assert len(asked) == 3 * len(mocks.regions)


def test_regions_that_cannot_be_read_are_named_and_nothing_is_registered() -> None:
    def denied(args: dict[str, Any]) -> dict[str, Any]:
        if args["region"] != "us-east-1":
            raise InvokeFailure("explicit deny in a service control policy")
        return {"id": "x", "ids": []}

    mocks = Counting(
        regions=["us-east-1", "eu-west-1", "ap-south-1"],
        answers={"aws:ec2/getVpcs:getVpcs": denied},
    )
    with pytest.raises(BadConfig) as error:
        prepare(mocks=mocks)
    assert str(error.value).startswith("cordon:exclude: ap-south-1, eu-west-1 can't be read")
    assert "explicit deny" in str(error.value)
    assert mocks.created == []
