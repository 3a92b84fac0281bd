"""Encryption of new volumes, per region."""

from __future__ import annotations

from lab.engine.resource import Attributes, Created, Existing, Kind, New, exists


def _by_default(new: New) -> Created:
    ec2 = new.client("ec2")
    if new.inputs.get("enabled", True):
        ec2.enable_ebs_encryption_by_default()
    else:
        ec2.disable_ebs_encryption_by_default()
    return new.region, {}


def _is_default(existing: Existing) -> Attributes:
    """A setting of the region cannot be gone; it can be other than declared."""
    on = existing.client("ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    return {} if on == existing.inputs.get("enabled", True) else {"enabled": on}


def _default_key(new: New) -> Created:
    key = new.inputs["keyArn"]
    new.client("ec2").modify_ebs_default_kms_key_id(KmsKeyId=key)
    return str(key), {}


KINDS = {
    "aws:ebs/encryptionByDefault:EncryptionByDefault": Kind(
        _by_default,
        _is_default,
        lambda existing: existing.client("ec2").disable_ebs_encryption_by_default(),
        {"enabled": _by_default},
    ),
    "aws:ebs/defaultKmsKey:DefaultKmsKey": Kind(
        _default_key,
        exists(lambda existing: existing.client("ec2").get_ebs_default_kms_key_id()["KmsKeyId"]),
        lambda existing: existing.client("ec2").reset_ebs_default_kms_key_id(),
    ),
}
