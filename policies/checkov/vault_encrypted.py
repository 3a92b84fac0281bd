"""With another key than the kit's, access to evidence is not the kit's to give or withhold."""

from __future__ import annotations

from contract import Purpose
from policies.rules import ADDRESS, REFERENCES, Conf, Plan, block, first, purpose, rule

SSE = "aws_s3_bucket_server_side_encryption_configuration"


def judge(conf: Conf, plan: Plan) -> list[str] | None:
    """The vault's default encryption is KMS, with an evidence key of the same plan."""
    if purpose(conf) != Purpose.VAULT:
        return None
    keys = [k for k in plan.all("aws_kms_key") if purpose(k) == Purpose.EVIDENCE_KEY]
    encryptions = plan.pointing(SSE, "bucket", conf, first(conf, "bucket") or "")
    faults = [] if encryptions else ["no encryption is configured"]
    for encryption in encryptions:
        default = block(encryption, "rule", "apply_server_side_encryption_by_default")
        if first(default, "sse_algorithm") != "aws:kms":
            faults.append("the default encryption is not aws:kms")
        if not any(_refers(encryption, key) for key in keys):
            faults.append("the key is not an evidence key of the kit")
    return faults


def _refers(conf: Conf, key: Conf) -> bool:
    return any(key[ADDRESS] in references for references in conf.get(REFERENCES) or [])


check = rule(
    "CKV_CORDON_7",
    "The evidence vault is encrypted with the kit's key",
    ["aws_s3_bucket"],
    "ENCRYPTION",
    judge,
)
