"""Evidence must not cross a network in the clear, whoever fetches it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract import Purpose
from policies.access import denies_plain_http
from policies.rules import Conf, Plan, first, judged, purpose, rule


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """The bucket policy of the vault, and of its logs, denies every request without TLS."""
    if purpose(conf) not in (Purpose.VAULT, Purpose.VAULT_LOGS):
        return None
    bucket_policies = plan.pointing(
        "aws_s3_bucket_policy", "bucket", conf, first(conf, "bucket") or ""
    )
    if not bucket_policies:
        return ["has no bucket policy to deny requests without TLS"]
    return [
        fault
        for bucket_policy in bucket_policies
        for fault in judged(bucket_policy, "policy", _faults)
    ]


def _faults(policy: Mapping[str, Any]) -> list[str]:
    return [] if denies_plain_http(policy) else ["its bucket policy allows requests without TLS"]


check = rule(
    "CKV_CORDON_8",
    "The evidence vault and its logs are reached by TLS only",
    ["aws_s3_bucket"],
    "NETWORKING",
    judge,
)
