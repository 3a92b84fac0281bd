from contract import Purpose
from tests.policies.samples import kit, made, vault

LOGS = made("aws:s3/bucket:Bucket", "logs", bucket="logs", tags=kit(Purpose.VAULT_LOGS))
GOOD = [vault().whole()]
BAD = [
    ("versioning is not enabled", vault().without("versioning")),
    (
        "versioning is not enabled",
        vault().but("versioning", versioningConfiguration={"status": "Suspended"}),
    ),
    ("versioning is not enabled", [*vault().whole(), LOGS]),
]
