"""Object Lock and checksums of S3 as documented.

Moto takes no `x-amz-checksum-` header for a checksum where Object Lock wants one. It accepts a
wrong SHA-256 or MD5 and the shortening of a compliance retention; its GetObjectRetention answers
with the object. (S3 API, PutObject: `BadDigest`; S3 user guide, "Object Lock": a checksum or
Content-MD5 is required; compliance can't be shortened by anyone, governance only with the bypass.)
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

from moto.s3.responses import S3Response

from lab.backends import partitional
from lab.gate.answers import amend, answer, check
from lab.gate.call import Call
from lab.gate.wire import AwsError


def mend() -> None:
    """Guards uploads and retention; answers GetObjectRetention and GetObjectLegalHold."""
    _accept_any_checksum()
    check("s3", "PutObject", "UploadPart")(_check_body)
    check("s3", "PutObject")(_check_checksum_given)
    check("s3", "PutObjectRetention")(_check_retention)
    amend("s3", "GetObjectLockConfiguration")(_days_or_years)
    answer("s3", "GetObjectRetention")(_retention)
    answer("s3", "GetObjectLegalHold")(_legal_hold)


def _accept_any_checksum() -> None:
    """Moto knows only the SDKs' own header for "there is a checksum": tell it by that one."""
    response: Any = S3Response
    moto_put = response._key_response_put

    def put(self: Any, *args: Any, **kwargs: Any) -> Any:
        prefix = "x-amz-checksum-"
        named = [n.lower() for n in self.headers.keys() if n.lower().startswith(prefix)]
        if named:
            algorithm = named[0].removeprefix(prefix).upper()
            self.headers.environ.setdefault("HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", algorithm)
        return moto_put(self, *args, **kwargs)

    response._key_response_put = put


def _check_body(call: Call) -> None:
    headers = call.request.headers
    body = _body(call)
    for name, digest in (("sha256", hashlib.sha256), ("sha1", hashlib.sha1)):
        declared = headers.get(f"x-amz-checksum-{name}")
        if declared and declared != base64.b64encode(digest(body).digest()).decode():
            raise AwsError(
                "BadDigest",
                f"The {name.upper()} you specified did not match the calculated checksum.",
            )
    md5 = headers.get("Content-MD5")
    if md5 and md5 != base64.b64encode(hashlib.md5(body).digest()).decode():  # noqa: S324
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")


def _body(call: Call) -> bytes:
    """The object's bytes, without the framing of a chunked upload."""
    data = call.request.get_data()
    if "aws-chunked" not in call.request.headers.get("Content-Encoding", ""):
        return bytes(data)
    declared = call.request.headers.get("x-amz-decoded-content-length")
    if declared and int(declared) == len(data):
        return bytes(data)
    body = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        body, data = body + rest[:length], rest[length + 2 :]
    return body


def _check_checksum_given(call: Call) -> None:
    bucket = _bucket(call)
    locks = "ObjectLockMode" in call.params or (bucket and bucket.has_default_lock)
    names = [name.lower() for name in call.request.headers.keys()]
    has = "content-md5" in names or any(
        n.startswith(("x-amz-checksum-", "x-amz-sdk-checksum", "x-amz-trailer")) for n in names
    )
    if locks and not has:
        raise AwsError(
            "InvalidRequest",
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with "
            "Object Lock parameters",
        )


def _bucket(call: Call) -> Any:
    return partitional(call, "s3").buckets.get(call.params["Bucket"])


def _version(call: Call) -> Any:
    key = partitional(call, "s3").get_object(
        call.params["Bucket"], call.params["Key"], version_id=call.params.get("VersionId")
    )
    if key is None:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
    return key


def _check_retention(call: Call) -> None:
    key = _version(call)
    mode, until = key.lock_mode, key.lock_until
    if not mode or not until or _time(until) <= datetime.now(UTC):
        return
    retention = call.params.get("Retention", {})
    shorter = "RetainUntilDate" not in retention or _time(retention["RetainUntilDate"]) < _time(
        until
    )
    weaker = retention.get("Mode") != mode and mode == "COMPLIANCE"
    bypass = call.params.get("BypassGovernanceRetention", False)
    if weaker or (shorter and not (mode == "GOVERNANCE" and bypass)):
        raise AwsError(
            "AccessDenied", "Access Denied because object protected by object lock.", 403
        )


def _days_or_years(call: Call, result: dict[str, Any]) -> None:
    """A default retention is in days or in years; moto tells of both, the other as 0."""
    rule = result["ObjectLockConfiguration"].get("Rule", {})
    retention = rule.get("DefaultRetention", {})
    for unit in ("Days", "Years"):
        if not retention.get(unit):
            retention.pop(unit, None)


def _retention(call: Call) -> dict[str, Any]:
    key = _version(call)
    if not key.lock_mode:
        raise _no_lock()
    return {"Retention": {"Mode": key.lock_mode, "RetainUntilDate": _time(key.lock_until)}}


def _legal_hold(call: Call) -> dict[str, Any]:
    key = _version(call)
    if not key.lock_legal_status:
        raise _no_lock()
    return {"LegalHold": {"Status": key.lock_legal_status}}


def _no_lock() -> AwsError:
    return AwsError(
        "NoSuchObjectLockConfiguration",
        "The specified object does not have a ObjectLock configuration",
        404,
    )


def _time(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
