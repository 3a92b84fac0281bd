"""Cases of `lab.mends.ebs_defaults`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import REGION, Account, case


@case
def volumes_are_encrypted_by_default_with_the_region_s_key(account: Account) -> None:
    ec2 = account.client("ec2")
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    ec2.enable_ebs_encryption_by_default()
    volume = ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a")
    assert (volume["Encrypted"], volume["KmsKeyId"]) == (True, key)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key
    assert ec2.reset_ebs_default_kms_key_id()["KmsKeyId"] != key
