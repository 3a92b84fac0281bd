from contract import Purpose
from tests.policies.samples import kit, made

KEY = "aws:kms/key:Key"
TAGS = kit(Purpose.EVIDENCE_KEY)
GOOD = [[made(KEY, "rotates", enableKeyRotation=True, tags=TAGS)]]
BAD = [
    ("rotation is not enabled", [made(KEY, "still", tags=TAGS)]),
    ("rotation is not enabled", [made(KEY, "off", enableKeyRotation=False, tags=TAGS)]),
]
OTHER = [[made(KEY, "not-the-kits", tags={"Owner": "alice"})]]
