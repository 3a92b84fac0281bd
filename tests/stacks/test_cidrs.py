"""A region's addresses depend on its name alone, never overlap, and stay."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import boto3
import pytest

from stacks.cidrs import plan, zone_networks
from stacks.reading import BadConfig

BASE = "10.213.0.0/16"
SESSION = boto3.Session()
EVERY = [
    region
    for partition in SESSION.get_available_partitions()
    for region in SESSION.get_available_regions("ec2", partition_name=partition)
]


def test_today_s_regions_get_networks_of_the_base_that_never_overlap() -> None:
    assert len(EVERY) >= 38
    planned = plan(BASE, EVERY, {})
    assert planned.keys() == set(EVERY)
    assert all(n.subnet_of(IPv4Network(BASE)) and n.prefixlen == 24 for n in planned.values())
    assert not any(a.overlaps(b) for a, b in combinations(planned.values(), 2))


def test_a_region_keeps_its_network_when_others_come_and_go() -> None:
    every = plan(BASE, EVERY, {})
    for some in (EVERY[:1], EVERY[3:9], EVERY[::-2]):
        assert plan(BASE, some, {}) == {r: every[r] for r in some}


def test_a_hand_placed_region_gets_its_slot_and_keeps_it_while_away() -> None:
    planned = plan(BASE, ["eu-west-1"], {"eu-west-1": 9})
    assert planned == {"eu-west-1": IPv4Network("10.213.9.0/24")}
    natural = plan(BASE, ["us-east-1"], {})["us-east-1"]
    slot = natural.network_address.packed[2]
    with pytest.raises(BadConfig, match="eu-west-1 and us-east-1 would both have slot"):
        plan(BASE, ["us-east-1"], {"eu-west-1": slot})


def test_a_collision_is_refused_with_a_slot_that_is_free() -> None:
    with pytest.raises(BadConfig) as error:
        plan("10.0.0.0/23", ["eu-west-1", "eu-west-2", "eu-west-3"], {})
    assert str(error.value).startswith("cordon:cidrSlots: ")
    with pytest.raises(BadConfig, match="such as 0"):
        plan(BASE, [], {"eu-west-1": 5, "us-east-1": 5})


@pytest.mark.parametrize("slot", [-1, 256])
def test_a_slot_outside_the_base_is_refused(slot: int) -> None:
    with pytest.raises(BadConfig, match="not from 0 to 255"):
        plan(BASE, ["eu-west-1"], {"eu-west-1": slot})


def test_a_zone_s_letter_decides_its_part_of_the_vpc() -> None:
    network = IPv4Network("10.213.9.0/24")
    assert zone_networks(network, ["x-1d", "x-1b"]) == {
        "x-1b": "10.213.9.64/26",
        "x-1d": "10.213.9.192/26",
    }
    assert zone_networks(network, ["x-1b"]) == {"x-1b": "10.213.9.64/26"}
