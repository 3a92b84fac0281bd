"""What the prepared things cost while nothing happens.

US dollars a month at the list prices of us-east-1 (AWS price list, 2025); other regions differ by
up to about a half. What grows with use is not in it: evidence kept, flow logs, requests.
"""

from __future__ import annotations

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
                region: {"tier": _named(tier), "monthlyUsd": price}
                for region, (tier, price) in sorted(self.regions.items())
            },
        }

    def text(self) -> str:
        """As the preview says it: the total, and a line per tier with its regions."""
        of_tier: dict[Tier | None, list[str]] = {}
        for region, (tier, _) in sorted(self.regions.items()):
            of_tier.setdefault(tier, []).append(region)
        lines = [
            f"  {_named(tier)}, ${monthly(tier):.2f} each: {', '.join(of_tier[tier])}"
            for tier in (None, *Tier)
            if tier in of_tier
        ]
        first = f"idle, about ${self.total:.2f} a month at list prices of us-east-1"
        return "\n".join([first, *lines])


def _named(tier: Tier | None) -> str:
    return tier.value if tier else "no forensic VPC"


def estimate(regions: Iterable[str], tiers: dict[str, Tier]) -> Estimate:
    """For every region that has a key; `tiers` has those with a forensic VPC."""
    return Estimate({r: (tiers.get(r), monthly(tiers.get(r))) for r in regions})
