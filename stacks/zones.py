"""In which zones of a region its forensic VPC has subnets and endpoints.

A zone is used by the letter at the end of its name, whether it is healthy today or not: so a zone
that is impaired for a day, or one that is opened later, moves no subnet and no address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from components.endpoints import OPTIONAL, service_name
from stacks.cidrs import ZONE_LETTERS
from stacks.lookup import call
from stacks.reading import BadConfig

NO_SUCH_SERVICE = ("no matching EC2 VPC Endpoint Service", "InvalidServiceName", "does not exist")
"""Texts of the AWS provider and of EC2 for a service that a region does not have."""


@dataclass(frozen=True)
class Zones:
    """Names of the zones with a subnet, and per interface endpoint the zone that it goes to.

    A service that the region does not have, and that nobody depends on, is left out.
    """

    names: tuple[str, ...] = ()
    endpoints: Mapping[str, str] = field(default_factory=dict)


async def zones(region: str, services: tuple[str, ...]) -> Zones:
    """The zones of one region. BadConfig when a subnet or a service can be in none of them."""
    names, offers = await asyncio.gather(
        _names(region), asyncio.gather(*(_offer(region, service) for service in services))
    )
    if not names:
        raise BadConfig(
            "cordon:forensicRegions",
            f"{region} has no zone that a forensic VPC can use (one whose name ends in "
            f"{', '.join(ZONE_LETTERS)}); leave it out",
        )
    return Zones(names, _placed(region, names, dict(zip(services, offers, strict=True))))


def _placed(
    region: str, names: tuple[str, ...], offers: Mapping[str, frozenset[str] | None]
) -> dict[str, str]:
    """Each service's zone: the first one of the VPC that offers it."""
    zone_of: dict[str, str] = {}
    for service, offer in offers.items():
        # An empty offer names no zones, as in GovCloud (AWS provider, vpc_endpoint_service).
        usable = [] if offer is None else [n for n in names if not offer or n in offer]
        if usable:
            zone_of[service] = usable[0]
        elif service not in OPTIONAL:
            raise BadConfig(
                "cordon:tiers",
                f"{region}: none of {', '.join(names)} offers an endpoint for {service}; "
                "give this region the tier cold",
            )
    return zone_of


async def _names(region: str) -> tuple[str, ...]:
    """The region's own zones, in any state; local and wavelength zones are opt-in and left out."""
    own = [{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
    answer = await call(
        "aws:index/getAvailabilityZones:getAvailabilityZones", {"region": region, "filters": own}
    )
    return tuple(sorted(name for name in answer["names"] if name[-1] in ZONE_LETTERS))


async def _offer(region: str, service: str) -> frozenset[str] | None:
    """The zones that offer the service, empty where that is not said; None: no such service."""
    token = "aws:ec2/getVpcEndpointService:getVpcEndpointService"  # noqa: S105, a type's name
    try:
        answer = await call(token, {"region": region, "serviceName": service_name(region, service)})
    except Exception as error:
        # The engine hands on the provider's text, and has no code for it.
        if any(text in str(error) for text in NO_SUCH_SERVICE):
            return None
        raise
    return frozenset(answer.get("availabilityZones") or ())
