"""The forensic VPC is there and closed, as it must be before evidence is mounted in it."""

from __future__ import annotations

from collections.abc import Iterator

from responders.readiness import FAIL, OK, REFRESH, WARN, Finding, Place
from responders.trust import forensic_vpc

SCOPE = "region"
PERMISSIONS = forensic_vpc.PERMISSIONS


def check(place: Place) -> Iterator[Finding]:
    """A finding for each way out; a warning where none is prepared.

    The VPC is the pinned one, or where nothing is pinned the one that the manifest names.
    """
    if not place.is_prepared:
        return
    manifest = place.trust.manifest
    vpc = manifest.forensic_vpc
    if not vpc:
        yield Finding(
            "forensics",
            WARN,
            "no forensic VPC: evidence can't be looked at in this region",
            "Add the `forensics` stack for the region.",
        )
        return
    faults = list(forensic_vpc.faults_of(place.aws, place.region, manifest))
    for fault in faults:
        yield Finding("forensics", FAIL, fault, _fix(place.region, vpc, fault), vpc=vpc)
    if not faults:
        yield Finding("forensics", OK, "is there, and has no way out", vpc=vpc)


def _fix(region: str, vpc: str, fault: str) -> str:
    """What Pulumi does not know of it can't take away: then the exact command."""
    thing = fault.rsplit(" ", 1)[-1]
    commands = {
        "igw-": f"detach-internet-gateway --vpc-id {vpc} --internet-gateway-id {thing}",
        "nat-": f"delete-nat-gateway --nat-gateway-id {thing}",
        "pcx-": f"delete-vpc-peering-connection --vpc-peering-connection-id {thing}",
    }
    named = fault.partition(" ")[0]
    if named.startswith("vpce-"):
        return f"`aws ec2 delete-vpc-endpoints --region {region} --vpc-endpoint-ids {named}`"
    for prefix, command in commands.items():
        if thing.startswith(prefix) and "route out" not in fault:
            return f"`aws ec2 {command} --region {region}`, and find out who added it (CloudTrail)."
    return REFRESH
