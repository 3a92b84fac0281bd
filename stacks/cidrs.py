"""Which addresses the forensic VPC of a region has: fixed by the region's name alone.

So a region keeps its addresses when other regions come and go, in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network

from stacks.reading import BadConfig

SLOT_PREFIX = 24
"""A forensic VPC is a /24: four /26, one per letter of a zone."""
ZONE_PREFIX = 26
ZONE_LETTERS = "abcd"
"""A zone's letter decides which of the four parts of the VPC it has, so that its addresses don't
depend on which other zones there are."""
SALT = "cordon-108/"
"""Chosen by trying: with it no two of today's regions, of all partitions, share one of 256 slots.
A new region may; then `plan` says so, and `cordon:cidrSlots` places one of the two by hand."""


def slot_of(region: str, count: int) -> int:
    """The region's own slot out of `count`, from 0."""
    digest = hashlib.sha256(f"{SALT}{region}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % count


def plan(base: str, regions: Iterable[str], placed: Mapping[str, int]) -> dict[str, IPv4Network]:
    """One /24 of `base` per region. `placed` gives some regions a slot by hand.

    A region placed by hand keeps its slot while it is not prepared. BadConfig when a slot lies
    outside the base or two regions would share one.
    """
    network = IPv4Network(base)
    count = 2 ** (SLOT_PREFIX - network.prefixlen)
    prepared = frozenset(regions)
    region_of: dict[int, str] = {}
    for region in (*sorted(placed), *sorted(prepared - placed.keys())):
        slot = placed.get(region, slot_of(region, count))
        if not 0 <= slot < count:
            raise BadConfig(
                "cordon:cidrSlots", f"{region}: {slot} is not from 0 to {count - 1} in {base}"
            )
        if slot in region_of:
            raise BadConfig(
                "cordon:cidrSlots",
                f"{region_of[slot]} and {region} would both have slot {slot} of {base}; "
                f"give one of them a free slot, such as {_free(region_of, count)}",
            )
        region_of[slot] = region
    return {r: _slot_network(network, s) for s, r in sorted(region_of.items()) if r in prepared}


def zone_networks(network: IPv4Network, zones: Iterable[str]) -> dict[str, str]:
    """The /26 of the VPC that each zone has. The names of zones end in one of `ZONE_LETTERS`."""
    parts = list(network.subnets(new_prefix=ZONE_PREFIX))
    return {zone: str(parts[ZONE_LETTERS.index(zone[-1])]) for zone in zones}


def _slot_network(base: IPv4Network, slot: int) -> IPv4Network:
    size = 2 ** (32 - SLOT_PREFIX)
    return IPv4Network((int(base.network_address) + slot * size, SLOT_PREFIX))


def _free(region_of: Mapping[int, str], count: int) -> str:
    free = next((slot for slot in range(count) if slot not in region_of), None)
    return "none: cordon:cidrBase is too small" if free is None else f"{free}"
