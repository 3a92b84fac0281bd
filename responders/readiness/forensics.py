"""The forensic VPC that the manifest names is there, and has no way out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from responders.permissions import allow
from responders.readiness import FAIL, OK, WARN, Finding, Place

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef

SCOPE = "region"
PERMISSIONS = (
    allow(
        "ec2:DescribeVpcs",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeNatGateways",
        because="looks whether the forensic VPC is there and has no way out",
    ),
)


def check(place: Place) -> Iterator[Finding]:
    """There and closed; a warning where none is prepared."""
    manifest = place.manifest
    if manifest is None:
        return
    vpc = manifest.forensic_vpc
    if not vpc:
        yield Finding(
            "forensics",
            WARN,
            "no forensic VPC: evidence can't be looked at in this region",
            "Add the `forensics` stack for the region.",
        )
        return
    ec2 = place.client("ec2")
    if not ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Vpcs"]:
        yield Finding("forensics", FAIL, f"{vpc} is not there", "Run `pulumi up`.", vpc=vpc)
        return
    attached: list[FilterTypeDef] = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    internet = ec2.describe_internet_gateways(Filters=attached)
    ways = [g["InternetGatewayId"] for g in internet["InternetGateways"]]
    nats = ec2.describe_nat_gateways(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    ways += [
        g["NatGatewayId"] for g in nats["NatGateways"] if g["State"] in ("available", "pending")
    ]
    if ways:
        fix = "Remove it, and find out who added it (CloudTrail)."
        yield Finding("forensics", FAIL, f"has a way out: {', '.join(ways)}", fix, vpc=vpc)
    else:
        yield Finding("forensics", OK, "is there, and has no way out", vpc=vpc)
