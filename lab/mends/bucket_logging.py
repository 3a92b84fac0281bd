"""S3 delivers access logs to a bucket whose policy lets it, whatever else the policy says.

Moto fails on a policy with the principal `*` beside the statement for `logging.s3.amazonaws.com`.
(S3 user guide, "Enabling server access logging".)
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket

from lab.policy import Asked, allowed_by, statements

_LOGGER = "logging.s3.amazonaws.com"


def mend() -> None:
    """Judges the target's policy as IAM would."""
    bucket: Any = FakeBucket
    bucket._log_permissions_enabled_policy = staticmethod(_lets_logs_in)


def _lets_logs_in(target_bucket: Any, target_prefix: str | None) -> bool:
    if not target_bucket.policy:
        return False
    request = Asked("s3:PutObject", (f"{target_bucket.arn}/{target_prefix or ''}log",), (_LOGGER,))
    named = [
        {**statement, "Condition": {}}
        for statement in statements(target_bucket.policy)
        if statement.get("Principal") == {"Service": _LOGGER}
    ]
    return allowed_by(named, request) is not None
