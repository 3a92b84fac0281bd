from contract import Purpose
from tests.policies.samples import OWN, kit, made

KEY = "aws:kms/key:Key"


def without(key: str) -> dict[str, str]:
    return {k: v for k, v in OWN.items() if k != key}


GOOD = [
    [made(KEY, "tagged", tags=kit(Purpose.EVIDENCE_KEY))],
    [made(KEY, "quarantined", tags={**OWN, "Environment": "Quarantine:IR-7"})],
]
BAD = [
    ("has no tag Owner", [made(KEY, "bare")]),
    ("has no tag Owner", [made(KEY, "nobodys", tags=without("Owner"))]),
    ("has no tag DataClassification", [made(KEY, "open", tags=without("DataClassification"))]),
    ("has Environment=Prod, allowed are", [made(KEY, "odd", tags={**OWN, "Environment": "Prod"})]),
]
OTHER = [[made("aws:kms/alias:Alias", "takes-no-tags", name="alias/x", targetKeyId="1")]]
