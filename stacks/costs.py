"""What the prepared things cost while nothing happens.

US dollars a month at the list prices of us-east-1 (AWS price list, 2025); other regions differ by
up to about a half. What grows with use is not in it: evidence kept, flow logs, requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from components.endpoints import SERVICES, Tier

HOURS = 730
"""Hours of a month, as AWS counts them."""
KEY = 1.00
"""One customer key. Each of its first two yearly rotations adds as much."""
ENDPOINT_HOUR = 0.01
"""One interface endpoint in one zone."""


def monthly(tier: Tier | None) -> float:
    """One region: its key, and the endpoints of its forensic VPC if it has one."""
    endpoints = len(SERVICES[tier]) if tier else 0
    return round(KEY + endpoints * ENDPOINT_HOUR * HOURS, 2)


@dataclass(frozen=True)
class Estimate:
    """Per region: the tier of its forensic VPC, or None, and dollars a month."""

    regions: dict[str, tuple[Tier | None, float]]

    @property
    def total(self) -> float:
        """Dollars a month, all regions."""
        return round(sum(price for _, price in self.regions.values()), 2)

    def export(self) -> dict[str, Any]:
        """As the stack exports it."""
        return {
            "monthlyUsd": self.total,
            "regions": {
                region: {"tier": tier.value if tier else "no forensic VPC", "monthlyUsd": price}
                for region, (tier, price) in sorted(self.regions.items())
            },
        }

    def sentence(self) -> str:
        """As the preview says it."""
        tiers = Counter(tier.value if tier else "without" for tier, _ in self.regions.values())
        parts = ", ".join(
            f"{count} {tier} at ${monthly(Tier(tier) if tier != 'without' else None):.2f}"
            for tier, count in sorted(tiers.items())
        )
        return (
            f"idle, this costs about ${self.total:.2f} a month at list prices of us-east-1 "
            f"(regions by tier: {parts})"
        )


def estimate(regions: Iterable[str], tiers: dict[str, Tier]) -> Estimate:
    """For every region that has a key; `tiers` has those with a forensic VPC."""
    return Estimate({r: (tiers.get(r), monthly(tiers.get(r))) for r in regions})
