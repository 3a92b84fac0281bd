"""What there is to prepare, asked of AWS before anything is registered.

Regions and VPCs are looked up at plan time, all regions at once, because resources must not be
created inside `.apply`: what is prepared has to be known to the program as plain values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pulumi_aws as aws

from components.iam import Place
from contract import TAG_IGNORE, TAG_PURPOSE, Purpose
from stacks.config import Settings
from stacks.reading import BadConfig

T = TypeVar("T")


@dataclass(frozen=True)
class Vpcs:
    """VPCs of one region by id: those to prepare, and those whose tag says to leave them alone."""

    prepared: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estate:
    """The account, its enabled regions that the settings leave in, and what is in each.

    `vpcs` has the regions of the account stack, `zones` those of the forensics stack.
    """

    place: Place
    regions: tuple[str, ...] = ()
    vpcs: Mapping[str, Vpcs] = field(default_factory=dict)
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


async def survey(settings: Settings) -> Estate:
    """Looks. BadConfig for a region that is not enabled, or that can't be read."""
    place = _place()
    regions = _regions(settings, aws.get_regions().names)
    forensic = _forensic_regions(settings, regions) if "forensics" in settings.stacks else ()
    return Estate(
        place,
        regions,
        await _each(regions if "account" in settings.stacks else (), _vpcs),
        await _each(forensic, _zones),
    )


def _place() -> Place:
    partition, caller = aws.get_partition(), aws.get_caller_identity()
    return Place(partition.partition, caller.account_id, partition.dns_suffix)


def _regions(settings: Settings, enabled: Iterable[str]) -> tuple[str, ...]:
    known = set(enabled)
    for region in settings.regions:
        if region not in known:
            raise BadConfig(
                "cordon:regions", f"{region} is not enabled in this account; enable or remove it"
            )
    chosen = tuple(sorted((set(settings.regions) or known) - set(settings.exclude)))
    if not chosen:
        raise BadConfig("cordon:exclude", "leaves no region to prepare; remove some")
    return chosen


def _forensic_regions(settings: Settings, regions: tuple[str, ...]) -> tuple[str, ...]:
    network = settings.network
    for key, named in (("forensicRegions", network.regions), ("tiers", tuple(network.tiers))):
        for region in named:
            if region not in regions:
                raise BadConfig(
                    f"cordon:{key}",
                    f"{region} is not among the prepared regions ({', '.join(regions)}); "
                    "add it to them or remove it here",
                )
    return tuple(sorted(network.regions)) or regions


async def _vpcs(region: str) -> Vpcs:
    """All VPCs but the kit's own; a second look only at those with one of the kit's tags."""
    every, marked = await asyncio.gather(
        _vpc_ids(region), _vpc_ids(region, TAG_IGNORE, TAG_PURPOSE)
    )
    if not marked:
        return Vpcs(every)
    own, tagged, wanted = await asyncio.gather(
        _vpc_ids(region, **{TAG_PURPOSE: Purpose.FORENSICS.value}),
        _vpc_ids(region, TAG_IGNORE),
        _vpc_ids(region, **{TAG_IGNORE: "false"}),
    )
    ignored = set(tagged) - set(wanted) - set(own)
    return Vpcs(
        tuple(v for v in every if v not in ignored | set(own)),
        tuple(v for v in every if v in ignored),
    )


async def _vpc_ids(region: str, *tag_keys: str, **tags: str) -> tuple[str, ...]:
    filters = [aws.ec2.GetVpcsFilterArgs(name="tag-key", values=list(tag_keys))]
    found = await aws.ec2.get_vpcs_output(
        region=region, filters=filters if tag_keys else None, tags=tags or None
    ).future()
    return tuple(sorted(found.ids if found else ()))


async def _zones(region: str) -> tuple[str, ...]:
    """Names of the region's own zones; local and wavelength zones are opt-in and left out."""
    found = await aws.get_availability_zones_output(
        region=region,
        state="available",
        filters=[
            aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])
        ],
    ).future()
    return tuple(sorted(found.names if found else ()))


async def _each(regions: Iterable[str], look: Callable[[str], Awaitable[T]]) -> dict[str, T]:
    """`look` at every region at once. BadConfig names all regions that can't be read."""
    names = list(regions)
    answers = await asyncio.gather(*(look(r) for r in names), return_exceptions=True)
    failed = {
        region: answer
        for region, answer in zip(names, answers, strict=True)
        if isinstance(answer, BaseException)
    }
    if failed:
        first = next(iter(failed))
        raise BadConfig(
            "cordon:exclude",
            f"{', '.join(failed)} can't be read; leave out what your organization denies, "
            f"or mend the access ({first}: {failed[first]})",
        ) from failed[first]
    return {
        region: answer
        for region, answer in zip(names, answers, strict=True)
        if not isinstance(answer, BaseException)
    }
