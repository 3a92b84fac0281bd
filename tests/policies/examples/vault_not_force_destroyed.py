from contract import Purpose
from tests.policies.samples import kit, made, vault

LOGS = kit(Purpose.VAULT_LOGS)
GOOD = [vault().whole(), vault().but("bucket", forceDestroy=False)]
BAD = [
    ("force_destroy is set", vault().but("bucket", forceDestroy=True)),
    ("force_destroy is set", [made("aws:s3/bucket:Bucket", "logs", forceDestroy=True, tags=LOGS)]),
]
OTHER = [[made("aws:s3/bucket:Bucket", "scratch", forceDestroy=True)]]
