"""What there is to prepare, asked of AWS before anything is registered.

Regions and VPCs are looked up at plan time, all regions at once, because resources must not be
created inside `.apply`: what is prepared has to be known to the program as plain values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeVar

import pulumi
import pulumi_aws as aws
from pulumi.runtime import invoke_async

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
    """The account, its enabled regions, those that the settings leave in, and what is in each.

    `vpcs` has the regions of the account stack, `zones` those of the forensics stack.
    """

    place: Place
    enabled: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    vpcs: Mapping[str, Vpcs] = field(default_factory=dict)
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


async def survey(settings: Settings) -> Estate:
    """Looks. BadConfig for a region that is not enabled, or that can't be read."""
    place, enabled = _place(), frozenset(aws.get_regions().names)
    regions = _regions(settings, enabled)
    forensic = _forensic_regions(settings, regions) if "forensics" in settings.stacks else ()
    return Estate(
        place,
        enabled,
        regions,
        await _each(regions if "account" in settings.stacks else (), _vpcs),
        await _each(forensic, _zones),
    )


def _place() -> Place:
    partition, caller = aws.get_partition(), aws.get_caller_identity()
    return Place(partition.partition, caller.account_id, partition.dns_suffix)


def _regions(settings: Settings, enabled: frozenset[str]) -> tuple[str, ...]:
    for region in settings.regions:
        if region not in enabled:
            raise BadConfig(
                "cordon:regions", f"{region} is not enabled in this account; enable or remove it"
            )
    chosen = tuple(sorted((set(settings.regions) or enabled) - set(settings.exclude)))
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
    """All VPCs but the kit's own, and but those to ignore."""
    every, own, tagged = await asyncio.gather(
        _vpc_ids(region),
        _vpc_ids(region, TAG_PURPOSE, Purpose.FORENSICS),
        _vpc_ids(region, TAG_IGNORE, "*"),
    )
    wanted = await _vpc_ids(region, TAG_IGNORE, "false") if tagged else ()
    ignored = set(tagged) - set(wanted) - set(own)
    return Vpcs(
        tuple(v for v in every if v not in ignored | set(own)),
        tuple(v for v in every if v in ignored),
    )


async def _vpc_ids(region: str, tag: str = "", value: str = "") -> tuple[str, ...]:
    """Ids of a region's VPCs, of those with a tag only if one is given; `*` is any value."""
    filters = [{"name": f"tag:{tag}", "values": [value]}] if tag else []
    found = await _ask("aws:ec2/getVpcs:getVpcs", {"region": region, "filters": filters})
    return tuple(sorted(found["ids"]))


async def _zones(region: str) -> tuple[str, ...]:
    """Names of the region's own zones; local and wavelength zones are opt-in and left out."""
    asked = {
        "region": region,
        "state": "available",
        "filters": [{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
    }
    found = await _ask("aws:index/getAvailabilityZones:getAvailabilityZones", asked)
    return tuple(sorted(found["names"]))


async def _ask(token: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """One provider function. `pulumi_aws` has only forms that block, or that can't be awaited.

    The version makes it the provider process that the resources use as well.
    """
    options = pulumi.InvokeOptions(version=version("pulumi-aws"))
    answer: Mapping[str, Any] = await invoke_async(token, dict(asked), options)
    return answer


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
