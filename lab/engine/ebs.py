"""Encryption of new volumes, per region."""

from __future__ import annotations

from lab.engine.resource import Created, New


def _by_default(new: New) -> Created:
    ec2 = new.client("ec2")
    if new.inputs.get("enabled", True):
        ec2.enable_ebs_encryption_by_default()
    else:
        ec2.disable_ebs_encryption_by_default()
    return new.region, {}


def _default_key(new: New) -> Created:
    key = new.inputs["keyArn"]
    new.client("ec2").modify_ebs_default_kms_key_id(KmsKeyId=key)
    return str(key), {}


CREATE = {
    "aws:ebs/encryptionByDefault:EncryptionByDefault": _by_default,
    "aws:ebs/defaultKmsKey:DefaultKmsKey": _default_key,
}
