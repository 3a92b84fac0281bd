"""Cases of `lab.mends.regions`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused


@case
def regions_are_those_that_are_enabled(account: Account) -> None:
    ec2 = account.client("ec2")
    names = {r["RegionName"] for r in ec2.describe_regions()["Regions"]}
    assert len(names) == 17
    assert "us-east-1" in names
    every = {r["RegionName"]: r for r in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert names < every.keys()
    assert every["af-south-1"]["OptInStatus"] == "not-opted-in"
    assert "cn-north-1" not in every
    only = ec2.describe_regions(Filters=[{"Name": "region-name", "Values": ["eu-*"]}])["Regions"]
    assert {r["RegionName"][:3] for r in only} == {"eu-"}


@case
def a_region_that_is_not_enabled_refuses(account: Account) -> None:
    with refused("AuthFailure"):
        account.client("ec2", "af-south-1").describe_vpcs()
    with refused("UnrecognizedClientException"):
        account.client("ssm", "af-south-1").describe_parameters()
