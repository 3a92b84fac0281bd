from contract import TAG_KIT, TAG_PURPOSE, VERSION, Purpose
from tests.policies.samples import OWN, kit, made

KEY = "aws:kms/key:Key"
GOOD = [[made(KEY, "tagged", tags=kit(Purpose.EVIDENCE_KEY))]]
BAD = [
    ("has no tag cordon:kit", [made(KEY, "bare")]),
    ("has no tag cordon:kit", [made(KEY, "no-kit", tags={TAG_PURPOSE: "vault"})]),
    ("of a known purpose", [made(KEY, "no-purpose", tags={**OWN, TAG_KIT: VERSION})]),
    (
        "of a known purpose",
        [made(KEY, "odd-purpose", tags={TAG_KIT: VERSION, TAG_PURPOSE: "whatever"})],
    ),
]
OTHER = [[made("aws:kms/alias:Alias", "takes-no-tags", name="alias/x", targetKeyId="1")]]
