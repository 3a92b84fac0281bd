"""What Pulumi prepared in a region, found by tag and by one parameter, and verified before use."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import (
    MANIFEST_PARAMETER,
    TAG_PURPOSE,
    Manifest,
    Purpose,
    Rules,
    permission_rules,
)
from responders.aws import Aws, code_of
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, SecurityGroupTypeDef

PERMISSIONS = (
    allow("ec2:DescribeSecurityGroups", because="finds the prepared groups and reads their rules"),
    allow(
        "ssm:GetParameter",
        on="arn:{partition}:ssm:*:{account}:parameter" + MANIFEST_PARAMETER,
        because="reads what the region has prepared",
    ),
)


@dataclass(frozen=True)
class Group:
    """A security group that carries the kit's purpose tag, with all its rules."""

    id: str
    vpc: str
    purpose: str
    rules: Rules
    owner: str = ""
    """The account it belongs to; in a shared VPC each account has groups of its own."""


def groups(aws: Aws, region: str, vpcs: Iterable[str] = ()) -> list[Group]:
    """The prepared groups of a region (of some of its VPCs), by id."""
    filters: list[FilterTypeDef] = [
        {
            "Name": f"tag:{TAG_PURPOSE}",
            "Values": [Purpose.ISOLATE.value, Purpose.UNTRACK.value],
        }
    ]
    if vpcs:
        filters.append({"Name": "vpc-id", "Values": sorted(vpcs)})
    pages = aws.client("ec2", region).get_paginator("describe_security_groups")
    found = [g for page in pages.paginate(Filters=filters) for g in page["SecurityGroups"]]
    return sorted((group(g) for g in found), key=lambda g: g.id)


def group(described: SecurityGroupTypeDef) -> Group:
    """One entry of DescribeSecurityGroups."""
    tags = {t["Key"]: t["Value"] for t in described.get("Tags", ())}
    return Group(
        str(described["GroupId"]),
        str(described.get("VpcId", "")),
        tags.get(TAG_PURPOSE, ""),
        Rules(
            permission_rules(described.get("IpPermissions", ())),
            permission_rules(described.get("IpPermissionsEgress", ())),
        ),
        str(described.get("OwnerId", "")),
    )


def choose(
    found: Iterable[Group], vpc: str, purpose: Purpose, rules: Rules, owner: str = ""
) -> Group | None:
    """The group to use in a VPC: one whose rules are exactly as prepared, else any, else None.

    An attacker can tag a group of their own; only exact rules make a group worth using. With an
    `owner` (an account) only its groups count: those of others can't be put on its interfaces (VPC
    user guide, "Share your VPC").
    """
    fits = [
        g
        for g in found
        if g.vpc == vpc and g.purpose == purpose and (not owner or g.owner == owner)
    ]
    return min(fits, key=lambda g: (g.rules != rules, g.id), default=None)


def manifest(aws: Aws, region: str) -> Manifest | None:
    """The region's manifest; None where there is no parameter. ValueError when it is unreadable."""
    try:
        answer = aws.client("ssm", region).get_parameter(Name=MANIFEST_PARAMETER)
    except Exception as error:
        if code_of(error) == "ParameterNotFound":
            return None
        raise
    return Manifest.from_json(str(answer["Parameter"]["Value"]))


class PreparedRegion:
    """What one region has prepared, read once for a run; a failed reading is tried again."""

    def __init__(self, aws: Aws, region: str) -> None:
        self.aws, self.region = aws, region
        self._reading: Future[Manifest | None] | None = None
        self._lock = threading.Lock()

    def prefetch(self) -> Future[Manifest | None]:
        """Begins to read, without waiting."""
        with self._lock:
            if self._reading is None or (self._reading.done() and self._reading.exception()):
                self._reading = self.aws.spawn(manifest, self.aws, self.region)
            return self._reading

    @property
    def manifest(self) -> Manifest | None:
        """The region's manifest, None where there is none; raises what the reading raised."""
        return self.prefetch().result()
