"""Finds the one instance that an id or an address means, in one region or in all of them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from responders import session
from responders.action import SubjectT_co
from responders.aws import Aws, explain
from responders.connection import hurried
from responders.errors import BadInput, NotContained
from responders.scene import InstanceGone, Scene
from responders.trust.trust import Trust

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

Trouble = tuple[str, ...]
INSTANCE_ID = re.compile(r"i-[0-9a-f]{8}([0-9a-f]{9})?")


@dataclass(frozen=True)
class Filters:
    """Names of filters to try one after the other, with the one `value` that each is given.

    Those of DescribeInstances, and those of DescribeNetworkInterfaces that mean the same.
    """

    of_instances: tuple[str, ...]
    of_interfaces: tuple[str, ...]
    value: str


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


def filters(target: str) -> Filters:
    """What to search for; BadInput for what is neither an instance id nor an address."""
    if INSTANCE_ID.fullmatch(target):
        return Filters(("instance-id",), ("attachment.instance-id",), target)
    try:
        address = ipaddress.ip_address(target)
    except ValueError as error:
        raise BadInput(
            f"{target!r} is neither an instance id nor an IP address",
            "Give an id such as i-0123456789abcdef0, or a public or private address.",
        ) from error
    if address.version == 6:
        name = "ipv6-addresses.ipv6-address"
        return Filters((f"network-interface.{name}",), (name,), str(address))
    private, public = "addresses.private-ip-address", "addresses.association.public-ip"
    return Filters(
        ("ip-address", f"network-interface.{private}", f"network-interface.{public}"),
        (private, public),
        str(address),
    )


def locate(aws: Aws, target: str, region: str | None) -> Located[Scene]:
    """Searches the given region, or every enabled one at once.

    BadInput when nothing, or more than one instance, matches; NotContained when nothing was found
    and some region could not be searched, so that "not there" is not certain.
    """
    sought = filters(target)
    with hurried():
        if region and INSTANCE_ID.fullmatch(target):
            return _known(aws, target, region)
        regions = (region,) if region else aws.regions_to_search
        matches, trouble = _search_all(aws, sought, regions)
        for instance, (where, owner) in matches.items():
            scene = Scene(aws, where, instance)
            scene.prefetch()
            return Located(where, instance, scene, owner, trouble, scene.prepared)
    if trouble:
        raise NotContained(
            f"{target} was not found, but not everywhere could be searched: {'; '.join(trouble)}",
            "Give --region if you know it, or mend the access to the regions named.",
        )
    raise BadInput(
        f"{target} is in none of the regions searched: {', '.join(regions)}",
        "Check the account (cordon uses the AWS credentials of the environment) and the id.",
    )


Matches = dict[str, tuple[str, str]]
"""Instance id to its region and owner."""


def _search_all(aws: Aws, sought: Filters, regions: Sequence[str]) -> tuple[Matches, Trouble]:
    """The one match, or none, and the regions that could not be searched.

    An id is unique in the world: the first region that knows it ends the search, whatever the
    others are up to. An address may be in several, and is refused then.
    """
    searches = {aws.spawn(_search, aws, where, sought): where for where in regions}
    matches: Matches = {}
    trouble: list[str] = []
    for search in as_completed(searches):
        where = searches[search]
        try:
            matches.update({i: (where, owner) for i, owner in search.result().items()})
        except Exception as error:
            trouble.append(f"{where}: {explain(error)}")
        if matches and INSTANCE_ID.fullmatch(sought.value):
            return matches, ()
    if len(matches) > 1:
        listed = ", ".join(f"{i} in {where}" for i, (where, _) in sorted(matches.items()))
        raise BadInput(
            f"{sought.value} is ambiguous: {listed}",
            "Give the instance id, and --region if need be.",
        )
    return matches, tuple(sorted(trouble))


def _known(aws: Aws, instance: str, region: str) -> Located[Scene]:
    """Nothing to search: the first look that the response needs anyway also says if it is there.

    Where DescribeInstances does not answer, an interface that is attached to it shows as much.
    """
    scene = Scene(aws, region, instance)
    scene.prefetch()
    try:
        _ = scene.instance
    except InstanceGone as error:
        raise BadInput(
            f"{instance} is not in {region}, or was terminated",
            "Leave out --region to search all enabled regions.",
        ) from error
    except Exception as error:
        _require_interfaces(aws, scene, error)
    return Located(region, instance, scene, prepared=scene.prepared)


def _require_interfaces(aws: Aws, scene: Scene, error: Exception) -> None:
    """Goes on with the interfaces alone, and tells it; raises when there are none to be seen."""
    if bad := session.trouble(error, aws.access.profile):
        raise _refused_by_region(aws, scene.region, bad) from error
    why = f"{scene.instance_id} in {scene.region} can't be described: {explain(error)}"
    try:
        interfaces = scene.interfaces
    except Exception as also:
        raise NotContained(
            f"{why}; nor can its interfaces: {explain(also)}", f"{_UNREACHED} {scene.region}."
        ) from error
    if not interfaces:
        raise NotContained(f"{why}; and no network interface is attached to it", CHECK) from error
    aws.doubt(f"{why}. It is contained by its interfaces; what else it has is not known")


def _refused_by_region(aws: Aws, region: str, refusal: BadInput) -> BadInput:
    """Credentials that work elsewhere: then it is the region that is not enabled."""
    try:
        return session.not_enabled(region) if aws.identity else refusal
    except Exception:
        return refusal


CHECK = "Check the id, the region and the account."
_UNREACHED = "Mend the access (permissions, network), and check that this is a region:"


def _search(aws: Aws, region: str, sought: Filters) -> dict[str, str]:
    """Ids of living instances that match, with their owners: by instance, else by interface."""
    ec2 = aws.client("ec2", region)
    try:
        return _by_instance(ec2, sought)
    except Exception as error:
        try:
            matches = _by_interface(ec2, sought)
        except Exception:
            raise error from None
        if matches:
            aws.doubt(f"found by its interfaces only, for in {region} {explain(error)}")
            return matches
        raise


def _by_instance(ec2: EC2Client, sought: Filters) -> dict[str, str]:
    pages = ec2.get_paginator("describe_instances")
    for name in sought.of_instances:
        matches = {
            str(i["InstanceId"]): str(r.get("OwnerId", ""))
            for page in pages.paginate(Filters=[{"Name": name, "Values": [sought.value]}])
            for r in page["Reservations"]
            for i in r["Instances"]
            if i["State"]["Name"] not in ("terminated", "shutting-down")
        }
        if matches:
            return matches
    return {}


def _by_interface(ec2: EC2Client, sought: Filters) -> dict[str, str]:
    pages = ec2.get_paginator("describe_network_interfaces")
    for name in sought.of_interfaces:
        attachments = [
            i.get("Attachment", {})
            for page in pages.paginate(Filters=[{"Name": name, "Values": [sought.value]}])
            for i in page["NetworkInterfaces"]
        ]
        matches = {
            str(a["InstanceId"]): str(a.get("InstanceOwnerId", ""))
            for a in attachments
            if a.get("InstanceId")
        }
        if matches:
            return matches
    return {}
