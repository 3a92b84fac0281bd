"""Which addresses the forensic VPC of a region has: fixed by the region's name alone.

So a region keeps its addresses when other regions come and go, in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network

from stacks.reading import BadConfig

SLOT_PREFIX = 24
"""A forensic VPC is a /24: four /26, of which two are used."""
ZONE_PREFIX = 26
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
    wanted = frozenset(regions)
    taken: dict[int, str] = {}
    for region in (*sorted(placed), *sorted(wanted - placed.keys())):
        slot = placed.get(region, slot_of(region, count))
        if not 0 <= slot < count:
            raise BadConfig(
                "cordon:cidrSlots", f"{region}: {slot} is not from 0 to {count - 1} in {base}"
            )
        if slot in taken:
            raise BadConfig(
                "cordon:cidrSlots",
                f"{taken[slot]} and {region} would both have slot {slot} of {base}; "
                f"give one of them a free slot, such as {_free(taken, count)}",
            )
        taken[slot] = region
    return {r: _slot_network(network, s) for s, r in sorted(taken.items()) if r in wanted}


def zone_networks(network: IPv4Network, zones: Iterable[str]) -> dict[str, str]:
    """One /26 of the VPC per zone, in the order of the zones."""
    subnets = network.subnets(new_prefix=ZONE_PREFIX)
    return {zone: str(subnet) for zone, subnet in zip(zones, subnets, strict=False)}


def _slot_network(base: IPv4Network, slot: int) -> IPv4Network:
    size = 2 ** (32 - SLOT_PREFIX)
    return IPv4Network((int(base.network_address) + slot * size, SLOT_PREFIX))


def _free(taken: Mapping[int, str], count: int) -> str:
    free = next((slot for slot in range(count) if slot not in taken), None)
    return "none: cordon:cidrBase is too small" if free is None else f"{free}"
