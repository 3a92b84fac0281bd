"""Cases of `lab.mends.public_keys`: what AWS does and plain moto does not."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lab.trail.digests import delivery
from tests.lab.mend_cases.account import Account, case


@case
def the_key_that_signed_a_digest_is_listed(account: Account) -> None:
    (listed,) = account.client("cloudtrail").list_public_keys()["PublicKeyList"]
    key = load_der_public_key(listed["Value"])
    assert isinstance(key, RSAPublicKey)
    (digest,) = delivery("b", "1", "eu-west-1", datetime(2026, 3, 1, tzinfo=UTC), [[]])
    sha256 = hashlib.sha256(gzip.decompress(digest.body)).hexdigest()
    text = f"2026-03-01T01:00:00Z\nb/{digest.key}\n{sha256}\nnull".encode()
    key.verify(bytes.fromhex(digest.metadata["signature"]), text, PKCS1v15(), SHA256())
