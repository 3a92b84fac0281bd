"""Where the global services of a partition keep their events: the region that signs for IAM."""

from __future__ import annotations

from functools import cache


@cache
def global_region(region: str) -> str:
    """The region of IAM's endpoint in the partition of `region`, such as us-east-1 in `aws`.

    CloudTrail records IAM, CloudFront, Route 53 and the global STS endpoint there (CloudTrail user
    guide, "Global service events"). botocore's own table of endpoints knows it for each partition.
    """
    import botocore.session

    resolver = botocore.session.get_session().get_component("endpoint_resolver")
    endpoint = resolver.construct_endpoint("iam", region) or {}
    return str(endpoint.get("credentialScope", {}).get("region", region))


@cache
def has_service(service: str, region: str) -> bool:
    """Whether botocore's table of endpoints has the service in the region."""
    import botocore.session

    session = botocore.session.get_session()
    partition = session.get_partition_for_region(region)
    return region in session.get_available_regions(service, partition)
