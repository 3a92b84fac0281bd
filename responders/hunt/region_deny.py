"""Regions that a service control policy closes: nothing is missed there, for nothing can run there.

That the trail can't be read does not prove it. So a second call asks EC2 whether it would start a
machine in the region, as a dry run, which starts none: EC2 names the policy that forbids it. The
answer is the caller's; a principal that the policy exempts may do more, and the report says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from responders.aws import Aws, explain, is_denied

BY_POLICY = "explicit deny in a service control policy"
"""AWS's words (IAM user guide, "Troubleshoot access denied error messages")."""
CLOSED = "closed by a service control policy"
"""What is said of a region in which the caller can start nothing."""
EXEMPT = (
    "closed by a service control policy, where the caller can start nothing (a principal that the "
    "policy exempts may): "
)


def closed(aws: Aws, outcome: Mapping[str, str]) -> list[str]:
    """The regions, of those with their outcome, that are proven to be closed."""
    suspected = [
        region for region, answer_of_region in outcome.items() if BY_POLICY in answer_of_region
    ]
    answers = {region: aws.spawn(_is_closed, aws, region) for region in suspected}
    return sorted(region for region, answer in answers.items() if answer.result())


def _is_closed(aws: Aws, region: str) -> bool:
    """Whether the policy also forbids to start a machine; False when that could not be told."""
    try:
        aws.client("ec2", region).run_instances(
            DryRun=True, ImageId="ami-00000000000000000", MinCount=1, MaxCount=1
        )
    except Exception as error:
        return is_denied(error) and BY_POLICY in explain(error)
    return False
