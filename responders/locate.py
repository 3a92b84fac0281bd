"""Finds the one instance that an id or an address means, in one region or in all of them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from responders.action import SubjectT_co
from responders.aws import Aws, explain
from responders.errors import BadInput, NotContained
from responders.scene import InstanceGone, Scene
from responders.trust.trust import Trust

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import FilterTypeDef

INSTANCE_ID = re.compile(r"i-[0-9a-f]{8}([0-9a-f]{9})?")


@dataclass(frozen=True)
class Located(Generic[SubjectT_co]):
    """The target, its region, and the subject of the incident.

    `account` is empty when it is not known. `trouble` names the regions that could not be searched.
    """

    region: str
    target: str
    subject: SubjectT_co
    account: str = ""
    trouble: tuple[str, ...] = ()
    prepared: Trust | None = None
    """What the region has prepared, where it is being read already."""


def filters(target: str) -> list[FilterTypeDef]:
    """DescribeInstances filters for a target, tried one after the other; BadInput for any other."""
    if INSTANCE_ID.fullmatch(target):
        return [{"Name": "instance-id", "Values": [target]}]
    try:
        address = ipaddress.ip_address(target)
    except ValueError as error:
        raise BadInput(
            f"{target!r} is neither an instance id nor an IP address",
            "Give an id such as i-0123456789abcdef0, or a public or private address.",
        ) from error
    if address.version == 6:
        names = ["network-interface.ipv6-addresses.ipv6-address"]
    else:
        names = [
            "ip-address",
            "network-interface.addresses.private-ip-address",
            "network-interface.addresses.association.public-ip",
        ]
    return [{"Name": name, "Values": [str(address)]} for name in names]


def locate(aws: Aws, target: str, region: str | None) -> Located[Scene]:
    """Searches the given region, or every enabled one at once.

    BadInput when nothing, or more than one instance, matches; NotContained when nothing was found
    and some region could not be searched, so that "not there" is not certain.
    """
    wanted = filters(target)
    if region and INSTANCE_ID.fullmatch(target):
        return _known(aws, target, region)
    regions = (region,) if region else aws.regions
    searches = [(r, aws.spawn(_search, aws.client("ec2", r), wanted)) for r in regions]
    found: dict[str, tuple[str, str]] = {}
    trouble = []
    for where, search in searches:
        try:
            found.update({i: (where, owner) for i, owner in search.result().items()})
        except Exception as error:
            trouble.append(f"{where}: {explain(error)}")
    if len(found) > 1:
        listed = ", ".join(f"{i} in {r}" for i, (r, _) in sorted(found.items()))
        raise BadInput(
            f"{target} is ambiguous: {listed}", "Give the instance id, and --region if need be."
        )
    for instance, (where, owner) in found.items():
        scene = Scene(aws, where, instance)
        scene.prefetch()
        return Located(where, instance, scene, owner, tuple(trouble), scene.prepared)
    if trouble:
        raise NotContained(
            f"{target} was not found, but not everywhere could be searched: {'; '.join(trouble)}",
            "Give --region if you know it, or mend the access to the regions named.",
        )
    raise BadInput(
        f"{target} is in none of the regions searched: {', '.join(regions)}",
        "Check the account (cordon uses the AWS credentials of the environment) and the id.",
    )


def _known(aws: Aws, instance: str, region: str) -> Located[Scene]:
    """Nothing to search: the first look that the response needs anyway also says if it is there."""
    scene = Scene(aws, region, instance)
    scene.prefetch()
    try:
        _ = scene.instance
    except InstanceGone as error:
        raise BadInput(
            f"{instance} is not in {region}, or was terminated",
            "Leave out --region to search all enabled regions.",
        ) from error
    return Located(region, instance, scene, prepared=scene.prepared)


def _search(client: EC2Client, wanted: list[FilterTypeDef]) -> dict[str, str]:
    """Ids of living instances that match one of the filters, with their owners."""
    for one in wanted:
        pages = client.get_paginator("describe_instances").paginate(Filters=[one])
        found = {
            str(i["InstanceId"]): str(r.get("OwnerId", ""))
            for page in pages
            for r in page["Reservations"]
            for i in r["Instances"]
            if i["State"]["Name"] not in ("terminated", "shutting-down")
        }
        if found:
            return found
    return {}
