"""The estimate is the sum of list prices, per region and tier."""

from __future__ import annotations

import pytest

from components.endpoints import Tier
from stacks.costs import estimate, monthly


@pytest.mark.parametrize(
    ("tier", "dollars"),
    [(None, 1.00), (Tier.COLD, 1.00), (Tier.WARM, 15.60), (Tier.HOT, 37.50)],
)
def test_a_region_costs_its_key_and_its_endpoints(tier: Tier | None, dollars: float) -> None:
    assert monthly(tier) == dollars


def test_the_total_and_the_text_count_every_region() -> None:
    tiers = {"a": Tier.HOT, "b": Tier.WARM, "c": Tier.COLD, "e": Tier.COLD}
    found = estimate("abcde", tiers)
    assert found.total == 37.50 + 15.60 + 1 + 1 + 1
    assert found.export()["regions"]["d"] == {"tier": "no forensic VPC", "monthlyUsd": 1.0}
    assert found.text().splitlines() == [
        "idle, about $56.10 a month at list prices of us-east-1",
        "  no forensic VPC, $1.00 each: d",
        "  cold, $1.00 each: c, e",
        "  warm, $15.60 each: b",
        "  hot, $37.50 each: a",
    ]
