from tests.policies.samples import vault

AES = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
GOOD = [vault().whole()]
BAD = [
    ("no encryption is configured", vault().without("encryption")),
    ("the default encryption is not aws:kms", vault().but("encryption", rules=[AES])),
    ("the key is not an evidence key of the kit", vault().but("key", tags={"Owner": "alice"})),
    ("the key is not an evidence key of the kit", vault().without("key")),
]
