from contract import Purpose
from tests.policies.samples import kit, made

KEY = "aws:kms/key:Key"
TAGS = kit(Purpose.EVIDENCE_KEY)
GOOD = [
    [made(KEY, "longest", deletionWindowInDays=30, tags=TAGS)],
    [made(KEY, "shortest", deletionWindowInDays=14, tags=TAGS)],
    [made(KEY, "by-default", tags=TAGS)],
]
BAD = [
    ("deleted after 7 days", [made(KEY, "hasty", deletionWindowInDays=7, tags=TAGS)]),
    ("deleted after 13 days", [made(KEY, "almost", deletionWindowInDays=13, tags=TAGS)]),
]
OTHER = [[made(KEY, "not-the-kits", deletionWindowInDays=7)]]
