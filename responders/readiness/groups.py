"""Every VPC has its two groups, with exactly the prepared rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from contract import GROUP_NAMES, TAG_IGNORE, group_rules, is_wide
from responders import prepared
from responders.permissions import allow
from responders.readiness import FAIL, OK, WARN, Finding, Place

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import VpcTypeDef

SCOPE = "region"
PERMISSIONS = (
    *prepared.PERMISSIONS,
    allow("ec2:DescribeVpcs", because="finds the VPCs that nothing was prepared for"),
)

FIX = (
    "Run `pulumi up --refresh`, which puts back what was changed outside it; remove what is not "
    "the kit's, and find out who made it (CloudTrail)."
)


def check(place: Place) -> Iterator[Finding]:
    """A finding for each VPC; one that is ignored by tag is a warning."""
    named = prepared.groups(place.aws, place.region)
    tagged = prepared.tagged(place.aws, place.region)
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
            yield from _vpc(place, str(vpc["VpcId"]), named, tagged)


def is_ignored(vpc: VpcTypeDef) -> bool:
    """Whether a VPC's tags say that preparation leaves it alone."""
    tags = {t["Key"]: t["Value"] for t in vpc.get("Tags", ())}
    return str(tags.get(TAG_IGNORE, "false")).lower() != "false"


def _vpc(
    place: Place, vpc: str, named: list[prepared.Group], tagged: list[prepared.Group]
) -> Iterator[Finding]:
    faults: list[str] = []
    for purpose in GROUP_NAMES:
        pinned = place.trust.pinned_group(vpc, purpose)
        rules = place.trust.rules(purpose)
        if place.trust.document is None and place.manifest_or_none:
            # Nothing pins the networks of responders, so the account's word has to do here.
            narrow = [c for c in place.manifest_or_none.responder_cidrs if not is_wide(c)]
            rules = group_rules(purpose, narrow)
        own = [g for g in named if (g.vpc, g.purpose) == (vpc, purpose.value)]
        kit = [g for g in own if (g.id == pinned if pinned else g.name == GROUP_NAMES[purpose])]
        if not kit:
            faults.append(f"no {purpose} group" + (f": {pinned} is gone" if pinned else ""))
        faults += [
            f"{g.id} ({purpose}) has rules that were not prepared" for g in kit if g.rules != rules
        ]
        faults += [
            f"{g.id} claims to be a second {purpose} group beside {kit[0].id if kit else 'none'}"
            for g in tagged
            if (g.vpc, g.purpose) == (vpc, purpose.value)
            and g not in kit
            and prepared.ON_DEMAND not in g.name
        ]
        faults += [
            f"{g.id} ({purpose}), made by a response, lets traffic through"
            for g in own
            if prepared.ON_DEMAND in g.name and not prepared.is_usable(g, group_rules(purpose))
        ]
    if faults:
        yield Finding("groups", FAIL, "; ".join(faults), FIX, vpc=vpc)
    else:
        yield Finding("groups", OK, "both groups are exactly as prepared", vpc=vpc)
