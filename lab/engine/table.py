"""What the lab does with each type of resource."""

from __future__ import annotations

from lab.engine import ebs, groups, iam, kms, messages, network, organizations, s3, ssm
from lab.engine.resource import Kind

KINDS: dict[str, Kind] = {
    **ebs.KINDS,
    **groups.KINDS,
    **iam.KINDS,
    **kms.KINDS,
    **messages.KINDS,
    **network.KINDS,
    **organizations.KINDS,
    **s3.KINDS,
    **ssm.KINDS,
}
