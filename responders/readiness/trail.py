"""A trail records every region, and is recording now: the hunt beyond 90 days lives on it."""

from __future__ import annotations

from collections.abc import Iterator

from responders.permissions import allow
from responders.readiness import FAIL, OK, WARN, Finding, Place

SCOPE = "account"
PERMISSIONS = (
    allow(
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetTrailStatus",
        because="looks whether a trail records every region",
    ),
)


def check(place: Place) -> Iterator[Finding]:
    """One multi-region trail that records is enough; a stopped one is a failure."""
    client = place.client("cloudtrail")
    trails = [t for t in client.describe_trails()["trailList"] if t.get("IsMultiRegionTrail")]
    if not trails:
        yield Finding(
            "trail",
            WARN,
            "no trail records every region: only the event history of 90 days can be hunted",
            "Create a multi-region trail.",
        )
    for trail in trails:
        arn = trail["TrailARN"]
        if client.get_trail_status(Name=arn)["IsLogging"]:
            yield Finding("trail", OK, f"{arn} records every region")
        else:
            yield Finding(
                "trail",
                FAIL,
                f"{arn} is stopped",
                "Find out who stopped it (`cordon hunt --since`), and start it again.",
            )
