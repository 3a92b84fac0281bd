"""Which interface endpoints a forensic VPC keeps while nothing happens, by cost tier."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """How ready a forensic VPC stands. Interface endpoints are what costs money when idle."""

    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


SERVICES: dict[Tier, tuple[str, ...]] = {
    Tier.COLD: (),
    Tier.WARM: ("ssm", "ssmmessages"),
    Tier.HOT: ("ssm", "ssmmessages", "ec2messages", "kms", "logs"),
}
"""`ssm` and `ssmmessages` let people in; `ec2messages` is for old agents."""
