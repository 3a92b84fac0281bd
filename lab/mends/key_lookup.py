"""IAM does not tell who owns a key of another account, or one that nobody has.

Moto looks through every account and says NoSuchEntity. AWS answers `AccessDenied` (IAM API,
GetAccessKeyLastUsed: only keys of this account). And a key's own letters tell its account, so that
GetAccessKeyInfo answers for deleted and temporary keys too (STS API, GetAccessKeyInfo).
"""

from __future__ import annotations

import base64
from typing import Any

from moto.iam.utils import ACCOUNT_OFFSET, AWS_ROLE_ALPHABET

from lab.backends import partitional
from lab.gate.answers import answer, check
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.identity import identity_of


def mend() -> None:
    """Refuses foreign keys; reads the account from the key."""
    check("iam", "GetAccessKeyLastUsed")(_check_owner)
    answer("sts", "GetAccessKeyInfo")(lambda call: {"Account": _account(call)})


def _check_owner(call: Call) -> None:
    key = call.params["AccessKeyId"]
    if partitional(call, "iam").get_user_from_access_key_id(key) is None:
        raise AwsError(
            "AccessDenied",
            f"User: {identity_of(call).arn} is not authorized to perform: "
            f"iam:GetAccessKeyLastUsed on resource: access key {key}",
            403,
        )


def _account(call: Call) -> str:
    """The account in the key's letters, as moto writes it there; the caller's, of an older key."""
    key: Any = call.params["AccessKeyId"]
    number = int.from_bytes(base64.b32decode(key[4:12]), "big") - ACCOUNT_OFFSET
    if number < 0:
        return call.account
    return f"{number * 2 + (AWS_ROLE_ALPHABET.index(key[12]) >= 16):012}"
