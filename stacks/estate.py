"""What there is to prepare, asked of AWS before anything is registered.

Regions, VPCs and zones are looked up at plan time (`stacks/lookup.py`), all regions at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi_aws as aws

from components.endpoints import SERVICES
from components.iam import Deployment
from contract import TAG_IGNORE, TAG_PURPOSE, Purpose
from stacks.before import before
from stacks.changes import refuse_disabled_regions, refuse_lost_vault, refuse_second_stack
from stacks.config import Settings
from stacks.lookup import call, in_each
from stacks.reading import BadConfig
from stacks.zones import Zones, zones


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

    deployment: Deployment
    enabled: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    vpcs: Mapping[str, Vpcs] = field(default_factory=dict)
    zones: Mapping[str, Zones] = field(default_factory=dict)


async def survey(settings: Settings) -> Estate:
    """What there is now. BadConfig for a region that is not enabled or can't be read, and for
    settings under which something that is prepared would be lost."""
    # First of all: under the wrong stack nothing else that is said would help.
    earlier = await before()
    refuse_second_stack(settings, earlier)
    deployment, enabled = _deployment(), frozenset(aws.get_regions().names)
    refuse_lost_vault(settings, earlier, deployment.account)
    refuse_disabled_regions(settings, earlier, enabled)
    regions = _regions(settings, enabled)
    forensic = _forensic_regions(settings, regions) if "forensics" in settings.stacks else ()
    return Estate(
        deployment,
        enabled,
        regions,
        await in_each(regions if "account" in settings.stacks else (), _vpcs),
        await in_each(forensic, lambda r: zones(r, SERVICES[settings.network.tier_of(r)])),
    )


def _deployment() -> Deployment:
    partition, caller = aws.get_partition(), aws.get_caller_identity()
    return Deployment(partition.partition, caller.account_id, partition.dns_suffix)


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
    # A tag with the value `false` ignores nothing, but there is no filter for "any value but".
    not_ignored = await _vpc_ids(region, TAG_IGNORE, "false") if tagged else ()
    ignored = set(tagged) - set(not_ignored) - set(own)
    return Vpcs(
        tuple(vpc for vpc in every if vpc not in ignored | set(own)),
        tuple(vpc for vpc in every if vpc in ignored),
    )


async def _vpc_ids(region: str, tag: str = "", value: str = "") -> tuple[str, ...]:
    """Ids of a region's VPCs, of those with a tag only if one is given; `*` is any value."""
    filters = [{"name": f"tag:{tag}", "values": [value]}] if tag else []
    answer = await call("aws:ec2/getVpcs:getVpcs", {"region": region, "filters": filters})
    return tuple(sorted(answer["ids"]))
