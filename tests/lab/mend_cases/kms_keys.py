"""Cases of `lab.mends.kms_keys`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused


@case
def a_key_is_known_by_its_arn_and_does_nothing_while_disabled(account: Account) -> None:
    kms = account.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.enable_key(KeyId=key)
    kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refused("KMSInvalidStateException"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    kms.cancel_key_deletion(KeyId=key)
