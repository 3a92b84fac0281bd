"""A trail's objects and signed digests, as CloudTrail delivers them into a bucket.

The chain and the signature are those of the CloudTrail user guide ("CloudTrail digest file
structure", "Custom implementations of CloudTrail log file integrity validation"). They are signed
with a key of the lab, which ListPublicKeys lists.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Delivered:
    """One object to put. `metadata` is the user-defined one, such as a digest's signature."""

    key: str
    body: bytes
    metadata: Mapping[str, str]


def public_key() -> bytes:
    """The key that verifies the lab's digests: PKCS #1, DER, as ListPublicKeys gives it."""
    return _private_key().public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def fingerprint() -> str:
    """What a digest calls that key by."""
    return hashlib.sha256(public_key()).hexdigest()[:32]


def delivery(
    bucket: str,
    account: str,
    region: str,
    start: datetime,
    hours: Sequence[Sequence[Mapping[str, Any]]],
) -> Iterator[Delivered]:
    """For each hour from `start` (UTC) on, an object with its records, if any, and the digest."""
    previous: tuple[str, str, str] | None = None
    for number, records in enumerate(hours):
        begin = start + timedelta(hours=number)
        objects = [_log_file(account, region, begin, records)] if records else []
        digest, previous = _digest(bucket, account, region, begin, objects, previous)
        yield from (*objects, digest)


def sign(text: bytes) -> str:
    """A signature in hexadecimal."""
    return _private_key().sign(text, PKCS1v15(), SHA256()).hex()


@cache
def _private_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def _log_file(
    account: str, region: str, begin: datetime, records: Sequence[Mapping[str, Any]]
) -> Delivered:
    at = begin + timedelta(minutes=5)
    name = f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{records[0]['eventID'][-16:]}.json.gz"
    body = gzip.compress(json.dumps({"Records": list(records)}).encode())
    return Delivered(f"AWSLogs/{account}/CloudTrail/{region}/{at:%Y/%m/%d}/{name}", body, {})


def _digest(
    bucket: str,
    account: str,
    region: str,
    begin: datetime,
    objects: Sequence[Delivered],
    previous: tuple[str, str, str] | None,
) -> tuple[Delivered, tuple[str, str, str]]:
    """The digest of an hour, and what the next one says of it: key, hash and signature."""
    end = begin + timedelta(hours=1)
    key = (
        f"AWSLogs/{account}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/"
        f"{account}_CloudTrail-Digest_{region}_lab_{region}_{end:%Y%m%dT%H%M%SZ}.json.gz"
    )
    before = previous or (None, None, None)
    document = {
        "awsAccountId": account,
        "digestStartTime": f"{begin:{_STAMP}}",
        "digestEndTime": f"{end:{_STAMP}}",
        "digestS3Bucket": bucket,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": fingerprint(),
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": bucket if previous else None,
        "previousDigestS3Object": before[0],
        "previousDigestHashValue": before[1],
        "previousDigestHashAlgorithm": "SHA-256" if previous else None,
        "previousDigestSignature": before[2],
        "logFiles": [
            {
                "s3Bucket": bucket,
                "s3Object": item.key,
                "hashValue": _sha256(gzip.decompress(item.body)),
                "hashAlgorithm": "SHA-256",
            }
            for item in objects
        ],
    }
    content = json.dumps(document).encode()
    digest = _sha256(content)
    text = f"{document['digestEndTime']}\n{bucket}/{key}\n{digest}\n{before[2] or 'null'}"
    signature = sign(text.encode())
    metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
    return Delivered(key, gzip.compress(content), metadata), (key, digest, signature)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
