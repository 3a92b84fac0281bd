"""Evidence must not cross a network in the clear, whoever fetches it."""

from __future__ import annotations

from contract import Purpose, denies_plain_http
from policies.checkov import Conf, Plan, Policy, document, first, purpose


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """The bucket policy of the vault, and of its logs, denies every request without TLS."""
    if purpose(conf) not in (Purpose.VAULT, Purpose.VAULT_LOGS):
        return None
    found = plan.pointing("aws_s3_bucket_policy", "bucket", conf, first(conf, "bucket") or "")
    policies = [document(one, "policy") for one in found]
    if any(policy and denies_plain_http(policy) for policy in policies):
        return []
    return ["no bucket policy denies requests without TLS"]


check = Policy(
    "CKV_CORDON_8",
    "The evidence vault and its logs are reached by TLS only",
    ["aws_s3_bucket"],
    "NETWORKING",
    judge,
)
