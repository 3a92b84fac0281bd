"""Which regions a service is in, by botocore's table of endpoints, for every partition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from responders.json_values import Json


@cache
def global_region(region: str) -> str:
    """The region that signs for IAM in the partition of `region`, such as us-east-1 in `aws`.

    CloudTrail records IAM, CloudFront, Route 53 and the global STS endpoint there (CloudTrail user
    guide, "Global service events"). The region itself, where a partition has no such region.
    """
    iam = _partition(region).get("services", {}).get("iam", {})
    endpoint = iam.get("endpoints", {}).get(iam.get("partitionEndpoint", ""), {})
    return str(endpoint.get("credentialScope", {}).get("region", region))


@cache
def has_service(service: str, region: str) -> bool:
    """Whether the service has an endpoint of its own in the region."""
    import botocore.session

    session = botocore.session.get_session()
    name = _partition(region).get("partition", "aws")
    return region in session.get_available_regions(service, name)


def _partition(region: str) -> Mapping[str, Json]:
    for partition in _partitions():
        if region in partition["regions"] or re.fullmatch(partition["regionRegex"], region):
            return partition
    return {}


@cache
def _partitions() -> list[Mapping[str, Json]]:
    import botocore.session

    return list(botocore.session.get_session().get_data("endpoints")["partitions"])
