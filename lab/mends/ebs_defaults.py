"""A region's default key for volumes can be read, and default encryption encrypts.

Moto lacks GetEbsDefaultKmsKeyId and ResetEbsDefaultKmsKeyId, and creates volumes in the clear where
encryption by default is on. (EC2 API, the operations of these names, CreateVolume.)
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.elastic_block_store import EBSBackend

from lab.backends import regional
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.mends.snapshots import default_key


def mend() -> None:
    """Answers the two and patches the creation of volumes."""
    answer("ec2", "GetEbsDefaultKmsKeyId")(_get)
    answer("ec2", "ResetEbsDefaultKmsKeyId")(_reset)
    backend: Any = EBSBackend
    moto_create = backend.create_volume

    def create_volume(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.ebs_encryption_by_default:
            kwargs["encrypted"] = True
        return moto_create(self, *args, **kwargs)

    backend.create_volume = create_volume


def _get(call: Call) -> dict[str, str]:
    return {"KmsKeyId": default_key(regional(call))}


def _reset(call: Call) -> dict[str, str]:
    backend = regional(call)
    backend.default_kms_key_id = ""
    return {"KmsKeyId": default_key(backend)}
