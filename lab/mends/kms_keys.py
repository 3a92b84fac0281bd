"""KMS takes a key's ARN wherever it takes its id, and a disabled key does nothing.

A symmetric key is made at once: moto makes an RSA pair for it too (40 ms), which nothing uses.
Moto's DisableKey, EnableKey, ScheduleKeyDeletion and CancelKeyDeletion fail on an ARN, and a
disabled key goes on encrypting (KMS API: `DisabledException`, `KMSInvalidStateException`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.kms import models, utils
from moto.kms.models import KmsBackend

from lab.backends import regional
from lab.gate.answers import check
from lab.gate.call import Call
from lab.gate.wire import AwsError


def mend() -> None:
    """Patches the four methods and guards the use of keys."""
    kms: Any = models
    kms.generate_private_key = _pair
    backend: Any = KmsBackend
    for name in ("disable_key", "enable_key", "schedule_key_deletion", "cancel_key_deletion"):
        setattr(backend, name, _by_any_id(getattr(backend, name)))
    check(
        "kms",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "CreateGrant",
        "ReEncrypt",
    )(_check_enabled)


@cache
def _unused_pair() -> Any:
    return utils.generate_private_key(utils.KeySpec.SYMMETRIC_DEFAULT)


def _pair(key_spec: str) -> Any:
    symmetric = key_spec == utils.KeySpec.SYMMETRIC_DEFAULT
    return _unused_pair() if symmetric else utils.generate_private_key(key_spec)


def _by_any_id(method: Any) -> Any:
    def by_any_id(self: Any, key_id: str, *args: Any) -> Any:
        return method(self, self.get_key_id(key_id), *args)

    return by_any_id


def _check_enabled(call: Call) -> None:
    backend = regional(call)
    named = call.params.get("KeyId") or call.params.get("DestinationKeyId")
    key = backend.keys.get(backend.any_id_to_key_id(named))
    if key is None or key.key_state == "Enabled":
        return
    if key.key_state == "Disabled":
        raise AwsError("DisabledException", f"{key.arn} is disabled.")
    raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
