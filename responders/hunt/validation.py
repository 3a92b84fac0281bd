"""Validates a trail: that its objects are those that CloudTrail delivered, and all of them.

CloudTrail delivers a digest file each hour with the hash of every object, signed, and chained to
the digest before it. The chain is checked as `aws cloudtrail validate-logs` does it: hashes are
SHA-256 of the decompressed content, the signature is RSA PKCS #1 v1.5 over four lines of text
(CloudTrail user guide, "Custom implementations of CloudTrail log file integrity validation").
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Protocol

from responders.aws import Aws, explain
from responders.hunt.object_text import decompressed, reason
from responders.hunt.source import Window
from responders.json_values import Json
from responders.permissions import allow

PERMISSIONS = (
    allow(
        "cloudtrail:ListPublicKeys",
        because="checks the signatures of a trail's digest files (hunt --validate)",
    ),
)
DELIVERED_WITHIN = timedelta(hours=2)
"""How long after its hour a digest may take to be delivered. Newer objects can't be proven yet."""
NAMED_BEFORE = timedelta(minutes=15)
"""How long before its delivery, which a digest counts by, an object may have got its name."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of one digest file once it is decompressed; a larger one is not read."""
_EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC))
_END = re.compile(r"_(\d{8}T\d{6}Z)\.json\.gz$")
_REGION = re.compile(r"/CloudTrail[^/]*/([^/]+)/(\d{4})/(\d\d)/(\d\d)/")


@dataclass(frozen=True)
class DigestFile:
    """A digest file as S3 stores it. `signature` is the hexadecimal text of its metadata.

    `trouble` says why it could not be had, and is empty when it was.
    """

    bucket: str
    key: str
    data: bytes
    signature: str
    trouble: str = ""


class DigestStore(Protocol):
    """Lists the digest files of a trail."""

    def digests(self, first: datetime, last: datetime) -> Iterable[DigestFile]:
        """The digest files whose hour ended in this time (UTC), in any order."""


@dataclass
class Validation:
    """What was proven: all of it, when `faults` and `altered` are empty."""

    digests: int = 0
    objects: int = 0
    faults: list[str] = field(default_factory=list)
    """Hours that no digest covers, and digests that do not follow one another."""
    altered: list[str] = field(default_factory=list)
    """Digests and objects that are not as they were delivered: a line each, of key and reason."""
    covered: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """The time whose objects valid digests list, by region."""


@dataclass(frozen=True)
class _Digest:
    file: DigestFile
    body: Mapping[str, Json]
    sha256: str
    start: datetime
    end: datetime

    @property
    def chain(self) -> str:
        """The region's and trail's part of the key: one chain each."""
        return _END.sub("", self.file.key.rpartition("/")[2])


def validate(
    store: DigestStore,
    keys: Mapping[str, bytes],
    read: Mapping[str, str],
    window: Window,
    unread: Collection[str] = (),
) -> Validation:
    """Checks the chains of a window, and the objects that were read against them.

    `keys`: public keys (PKCS #1, DER) by fingerprint. `read`: key of each object that was read, to
    the SHA-256 (hex) of its decompressed content. `unread`: keys of objects that are there and
    could not be read, of which nothing is said here.
    """
    result = Validation()
    chains: dict[str, list[_Digest]] = {}
    # A digest that ended after the window may list objects that came after the trail was listed.
    for file in store.digests(window.start, window.end):
        digest = _parsed(file, keys, result.altered)
        if digest is not None and digest.end <= window.end:
            chains.setdefault(digest.chain, []).append(digest)
            result.digests += 1
    if not chains:
        result.faults.append("no valid digest file covers this time: nothing is proven")
        return result
    listed: dict[str, str] = {}
    for name, digests in sorted(chains.items()):
        digests.sort(key=lambda digest: digest.end)
        result.faults += _chain_faults(name, digests, window)
        _cover(result, digests)
        for digest in digests:
            listed |= _objects(digest)
    _compare({key: listed[key] for key in set(listed) - set(unread)}, read, window, result)
    return result


def public_keys(aws: Aws, window: Window) -> tuple[dict[str, bytes], list[str]]:
    """The keys that CloudTrail signed with in a window, in every region, by fingerprint.

    The second value says where they could not be listed, a line each.
    """
    keys: dict[str, bytes] = {}
    failures: list[str] = []
    answers = {region: aws.spawn(_keys_of, aws, region, window) for region in aws.regions}
    for region, answer in answers.items():
        try:
            keys |= answer.result()
        except Exception as error:  # digests of this region are then named as not proven
            failures.append(f"{region}: CloudTrail's public keys are unknown: {explain(error)}")
    return keys, failures


def _keys_of(aws: Aws, region: str, window: Window) -> dict[str, bytes]:
    pages = aws.client("cloudtrail", region).get_paginator("list_public_keys")
    return {
        str(key["Fingerprint"]): bytes(key["Value"])
        for page in pages.paginate(
            StartTime=window.start - DELIVERED_WITHIN, EndTime=window.end + DELIVERED_WITHIN
        )
        for key in page["PublicKeyList"]
    }


def _parsed(file: DigestFile, keys: Mapping[str, bytes], altered: list[str]) -> _Digest | None:
    """A digest whose place and signature are right; any other is added to `altered`."""
    if file.trouble:
        altered.append(f"{file.key}: the digest can't be read: {file.trouble}")
        return None
    try:
        content = decompressed(file.data, MOST_BYTES)
        body = json.loads(content)
        digest = _Digest(
            file,
            body,
            hashlib.sha256(content).hexdigest(),
            _time(body["digestStartTime"]),
            _time(body["digestEndTime"]),
        )
        if (body["digestS3Bucket"], body["digestS3Object"]) != (file.bucket, file.key):
            altered.append(f"{file.key}: the digest was moved from another place")
            return None
        key = keys.get(str(body["digestPublicKeyFingerprint"]))
        if key is None:
            altered.append(f"{file.key}: the digest is signed with a key CloudTrail does not list")
            return None
        if not _is_signed(digest, key):
            altered.append(f"{file.key}: the digest has a signature that is not CloudTrail's")
            return None
        return digest
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        altered.append(f"{file.key}: the digest is {reason(error)}")
        return None


def _is_signed(digest: _Digest, key: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    public = load_der_public_key(key)
    if not isinstance(public, RSAPublicKey):
        raise ValueError("not an RSA key")
    try:
        signature = bytes.fromhex(digest.file.signature)
        public.verify(signature, signed_text(digest.body, digest.sha256), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_text(body: Mapping[str, Json], sha256: str) -> bytes:
    """What CloudTrail signs: end, place, hash of the content, signature of the digest before."""
    # The first digest of a chain has none before it, and CloudTrail signs the word for that.
    previous = body.get("previousDigestSignature") or "null"
    place = f"{body['digestS3Bucket']}/{body['digestS3Object']}"
    return f"{body['digestEndTime']}\n{place}\n{sha256}\n{previous}".encode()


def _chain_faults(name: str, digests: Sequence[_Digest], window: Window) -> list[str]:
    """Hours of the window that no digest covers, and links that do not fit."""
    faults = []
    for before, after in pairwise(digests):
        if after.start > before.end:
            faults.append(
                f"{name}: digests are missing from {before.end:%FT%TZ} to {after.start:%FT%TZ}"
            )
            continue
        link = (
            after.body.get("previousDigestS3Object"),
            after.body.get("previousDigestHashValue"),
            after.body.get("previousDigestSignature"),
        )
        if link != (before.file.key, before.sha256, before.file.signature):
            faults.append(
                f"{name}: the digest of {after.end:%FT%TZ} does not follow the one before"
            )
    if digests[0].start > window.start:
        faults.append(
            f"{name}: no digest before {digests[0].start:%FT%TZ}: earlier objects are not proven"
        )
    if digests[-1].end < window.end - DELIVERED_WITHIN:
        faults.append(f"{name}: no digest after {digests[-1].end:%FT%TZ}: later ones are missing")
    return faults


def _objects(digest: _Digest) -> dict[str, str]:
    files = digest.body.get("logFiles") or ()
    return {
        str(item["s3Object"]): str(item["hashValue"])
        for item in files
        if isinstance(item, Mapping) and "s3Object" in item and "hashValue" in item
    }


def _cover(result: Validation, digests: Sequence[_Digest]) -> None:
    """Notes the time that a region's digests list the objects of, across the trails of a bucket."""
    start, end = digests[0].start, digests[-1].end
    region = _region(digests[0].file.key)
    known = result.covered.get(region, (start, end))
    result.covered[region] = (min(start, known[0]), max(end, known[1]))


def _compare(
    listed: Mapping[str, str], read: Mapping[str, str], window: Window, result: Validation
) -> None:
    """Every listed object must have been read and be unchanged, and no other may be there."""
    first = f"{window.start:%Y/%m/%d}"
    for key, sha256 in sorted(listed.items()):
        if _day(key) < first:
            continue  # the first digest also lists objects of the evening before
        if key not in read:
            result.altered.append(f"{key}: it was delivered, and is not there")
        elif read[key] != sha256:
            result.altered.append(f"{key}: it was changed since it was delivered")
        else:
            result.objects += 1
    for key in sorted(set(read) - set(listed)):
        if _day(key) >= first and _should_be_listed(key, result):
            result.altered.append(
                f"{key}: it is in no digest, so CloudTrail may not have written it"
            )


def _should_be_listed(key: str, result: Validation) -> bool:
    """Whether an object's region has digests for the time in its name, or none at all."""
    start, end = result.covered.get(_region(key), (_EVER[0], _EVER[1]))
    moments = _delivered(key) or [end - NAMED_BEFORE]
    return any(start <= moment <= end - NAMED_BEFORE for moment in moments)


def _region(key: str) -> str:
    match = _REGION.search(f"/{key}")
    return match[1] if match else ""


def _day(key: str) -> str:
    """The day of delivery as folders name it, `YYYY/MM/DD`; the last of all when they do not."""
    match = _REGION.search(f"/{key}")
    return "/".join(match.groups()[1:]) if match else "9999/12/31"


def _delivered(key: str) -> list[datetime]:
    """The time in an object's name, such as `…_20260301T1205Z_…`; none when it has none."""
    match = re.search(r"_(\d{8}T\d{4})Z_", key)
    return [datetime.strptime(match[1], "%Y%m%dT%H%M").replace(tzinfo=UTC)] if match else []


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
