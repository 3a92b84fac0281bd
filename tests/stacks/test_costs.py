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


def test_the_total_and_the_sentence_count_every_region() -> None:
    found = estimate(["a", "b", "c", "d"], {"a": Tier.HOT, "b": Tier.WARM, "c": Tier.COLD})
    assert found.total == 37.50 + 15.60 + 1 + 1
    assert found.export()["regions"]["d"] == {"tier": "no forensic VPC", "monthlyUsd": 1.0}
    assert "about $55.10 a month" in found.sentence()
    for part in ("1 cold at $1.00", "1 hot at $37.50", "1 warm at $15.60", "1 without at $1.00"):
        assert part in found.sentence()
