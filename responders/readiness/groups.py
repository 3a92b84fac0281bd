"""Every VPC has its two groups, with exactly the prepared rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from contract import TAG_IGNORE, Manifest, Purpose, group_rules
from responders import prepared
from responders.permissions import allow
from responders.readiness import FAIL, OK, WARN, Finding, Place

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import VpcTypeDef

PERMISSIONS = (
    *prepared.PERMISSIONS,
    allow("ec2:DescribeVpcs", because="finds the VPCs that nothing was prepared for"),
)


def check(place: Place) -> Iterator[Finding]:
    """A finding for each VPC; one that is ignored by tag is a warning."""
    found = prepared.groups(place.aws, place.region)
    cidrs = (_manifest(place) or Manifest()).responder_cidrs
    pages = place.client("ec2").get_paginator("describe_vpcs").paginate()
    vpcs = [vpc for page in pages for vpc in page["Vpcs"]]
    for vpc in sorted(vpcs, key=lambda v: str(v["VpcId"])):
        if is_ignored(vpc):
            yield Finding(
                "groups",
                WARN,
                f"left out by its tag {TAG_IGNORE}: an instance in it can't be isolated at once",
                f"Remove the tag {TAG_IGNORE} and run `pulumi up`, if that is not meant.",
                vpc=vpc["VpcId"],
            )
        else:
            yield from _vpc(str(vpc["VpcId"]), found, cidrs)


def is_ignored(vpc: VpcTypeDef) -> bool:
    """Whether a VPC's tags say that preparation leaves it alone."""
    tags = {t["Key"]: t["Value"] for t in vpc.get("Tags", ())}
    return str(tags.get(TAG_IGNORE, "false")).lower() != "false"


def _vpc(vpc: str, found: list[prepared.Group], cidrs: tuple[str, ...]) -> Iterator[Finding]:
    faults = []
    for purpose in (Purpose.ISOLATE, Purpose.UNTRACK):
        rules = group_rules(purpose, cidrs)
        group = prepared.choose(found, vpc, purpose, rules)
        if group is None:
            faults.append(f"no {purpose} group")
        for other in (g for g in found if g.vpc == vpc and g.purpose == purpose):
            if other.rules != rules:
                faults.append(f"{other.id} ({purpose}) has rules that were not prepared")
    if faults:
        fix = "Run `pulumi up`; if rules were changed, find out who did it (CloudTrail)."
        yield Finding("groups", FAIL, "; ".join(faults), fix, vpc=vpc)
    else:
        yield Finding("groups", OK, "both groups are exactly as prepared", vpc=vpc)


def _manifest(place: Place) -> Manifest | None:
    try:
        return place.manifest
    except ValueError:
        return None  # the manifest's own check tells
