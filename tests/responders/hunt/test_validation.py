"""A trail is proven by the digests that CloudTrail signs; each way to alter it is named."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from responders.hunt.source import Window
from responders.hunt.validation import DigestFile, Validation, signed_text, validate

BUCKET = "trail-bucket"
START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
DAY = "eu-west-1/2026/03/01"
HOURS = 6
WINDOW = Window(START, START + timedelta(hours=HOURS))
FINGERPRINT = "31e8b5433410dfb61a9dc45cc65b22ff"


@cache
def private_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def public_keys() -> dict[str, bytes]:
    public = private_key().public_key()
    return {FINGERPRINT: public.public_bytes(Encoding.DER, PublicFormat.PKCS1)}


def signed(body: dict[str, Any]) -> DigestFile:
    content = json.dumps(body).encode()
    text = signed_text(body, hashlib.sha256(content).hexdigest())
    signature = private_key().sign(text, PKCS1v15(), SHA256()).hex()
    return DigestFile(BUCKET, body["digestS3Object"], gzip.compress(content), signature)


@dataclass
class Trail:
    """A trail of six hours with one object each, and its digests."""

    files: list[DigestFile] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)

    def digests(self, first: datetime, last: datetime) -> Iterable[DigestFile]:
        return reversed(self.files)

    def validate(self) -> Validation:
        return validate(self, public_keys(), self.read, WINDOW)


def body_of(hour: int, before: DigestFile | None, object_: str, sha256: str) -> dict[str, Any]:
    end = START + timedelta(hours=hour + 1)
    link: dict[str, Any] = dict.fromkeys(
        ("previousDigestS3Object", "previousDigestHashValue", "previousDigestSignature")
    )
    if before:
        content = gzip.decompress(before.data)
        link = {
            "previousDigestS3Object": before.key,
            "previousDigestHashValue": hashlib.sha256(content).hexdigest(),
            "previousDigestSignature": before.signature,
        }
    return {
        "digestStartTime": f"{end - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "digestS3Bucket": BUCKET,
        "digestS3Object": f"AWSLogs/1/CloudTrail-Digest/{end:eu-west-1/%Y/%m/%d}/"
        f"1_CloudTrail-Digest_eu-west-1_all_eu-west-1_{end:%Y%m%dT%H%M%SZ}.json.gz",
        "digestPublicKeyFingerprint": FINGERPRINT,
        "logFiles": [{"s3Bucket": BUCKET, "s3Object": object_, "hashValue": sha256}],
        **link,
    }


def trail() -> Trail:
    unaltered = Trail()
    before = None
    for hour in range(HOURS):
        object_ = f"AWSLogs/1/CloudTrail/{DAY}/1_CloudTrail_eu-west-1_20260301T0{hour}05Z_x.json.gz"
        sha256 = hashlib.sha256(str(hour).encode()).hexdigest()
        before = signed(body_of(hour, before, object_, sha256))
        unaltered.files.append(before)
        unaltered.read[object_] = sha256
    return unaltered


def test_an_unaltered_trail_is_proven() -> None:
    result = trail().validate()
    assert (result.faults, result.altered) == ([], [])
    assert (result.digests, result.objects) == (HOURS, HOURS)


def lose_an_object(altered: Trail) -> None:
    altered.read.pop(next(iter(altered.read)))


def change_an_object(altered: Trail) -> None:
    altered.read[next(iter(altered.read))] = "0" * 64


def add_an_object(altered: Trail) -> None:
    altered.read[f"AWSLogs/1/CloudTrail/{DAY}/1_CloudTrail_eu-west-1_20260301T0130Z_y.json.gz"] = ""


def lose_a_digest(altered: Trail) -> None:
    del altered.files[2]


def lose_the_first_digest(altered: Trail) -> None:
    del altered.files[0]


def lose_the_last_digests(altered: Trail) -> None:
    del altered.files[-3:]


def change_a_digest(altered: Trail) -> None:
    content = gzip.decompress(altered.files[2].data).replace(b"T0205Z_x", b"T0205Z_z")
    altered.files[2] = replace(altered.files[2], data=gzip.compress(content))


def move_a_digest(altered: Trail) -> None:
    altered.files[2] = replace(altered.files[2], key=altered.files[2].key.replace("all", "other"))


def sign_with_another_key(altered: Trail) -> None:
    body = json.loads(gzip.decompress(altered.files[2].data))
    altered.files[2] = signed({**body, "digestPublicKeyFingerprint": "another"})


def write_a_digest_anew(altered: Trail) -> None:
    body = json.loads(gzip.decompress(altered.files[2].data))
    altered.files[2] = signed({**body, "logFiles": []})


def break_a_digest(altered: Trail) -> None:
    altered.files[2] = replace(altered.files[2], data=b"\x1f\x8bgarbage")


def empty_a_digest(altered: Trail) -> None:
    altered.files[2] = replace(altered.files[2], data=gzip.compress(b"[]"))


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (lose_an_object, "it was delivered, and is not there"),
        (change_an_object, "was changed since it was delivered"),
        (add_an_object, "it is in no digest"),
        (lose_a_digest, "digests are missing from 2026-03-01T02:00:00Z to 2026-03-01T03:00:00Z"),
        (lose_the_first_digest, "earlier objects are not proven"),
        (lose_the_last_digests, "no digest after 2026-03-01T03:00:00Z"),
        (change_a_digest, "has a signature that is not CloudTrail's"),
        (move_a_digest, "was moved from"),
        (sign_with_another_key, "a key CloudTrail does not list"),
        (write_a_digest_anew, "does not follow the one before"),
        (break_a_digest, "is not readable"),
        (empty_a_digest, "is not readable"),
    ],
)
def test_each_alteration_is_named(alter: Callable[[Trail], None], words: str) -> None:
    altered = trail()
    alter(altered)
    result = altered.validate()
    faults = [*result.faults, *result.altered]
    assert any(words in fault for fault in faults), faults


def test_without_any_digest_nothing_is_proven() -> None:
    assert Trail(read={"x": ""}).validate().faults == [
        "no valid digest file covers this time: nothing is proven"
    ]
