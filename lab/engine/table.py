"""Which function creates which type of resource."""

from __future__ import annotations

from lab.engine import ebs, groups, iam, kms, messages, network, organizations, s3, ssm
from lab.engine.resource import Create

CREATORS: dict[str, Create] = {
    **ebs.CREATE,
    **groups.CREATE,
    **iam.CREATE,
    **kms.CREATE,
    **messages.CREATE,
    **network.CREATE,
    **organizations.CREATE,
    **s3.CREATE,
    **ssm.CREATE,
}
