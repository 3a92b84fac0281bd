"""A bucket policy's denials bind by principal, action, resource and condition.

Moto denies whatever a deny statement's action and resource match, whoever asks and whatever the
condition says: a deny of plain HTTP stops everything. The lab counts its own loopback as TLS
(`aws:SecureTransport` is true), since that is what the SDKs use against AWS.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.utilities.utils import get_partition

from lab.backends import partitional
from lab.gate.answers import around
from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import AwsError, Response
from lab.identity import Identity, identity_of, principal_arn
from lab.policy import Asked, denied_by, statements

_ACTIONS = {
    "HeadObject": "GetObject",
    "GetObjectAttributes": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
}
"""Operations whose IAM action has another name (service authorization reference, Amazon S3)."""

_VERSIONED = {"GetObject", "DeleteObject", "GetObjectTagging", "DeleteObjectTagging"}


def mend() -> None:
    """Judges every S3 call by the policy of its bucket; leaves moto the public permissions only."""
    bucket: Any = FakeBucket
    moto_permission = bucket.get_permission

    def allows_only(self: Any, action: str, resource: str) -> Any:
        permission = moto_permission(self, action, resource)
        return PermissionResult.NEUTRAL if permission == PermissionResult.DENIED else permission

    bucket.get_permission = allows_only
    around("s3", "*", _judge)


def _judge(call: Call, proceed: Proceed) -> Response:
    policy = _policy(call)
    if policy is not None:
        identity = identity_of(call)
        for request in _requests(call, identity):
            if denied_by(statements(policy), request):
                raise _denial(identity, request)
    return proceed()


def _denial(identity: Identity, request: Asked) -> AwsError:
    return AwsError(
        "AccessDenied",
        f"User: {identity.arn} is not authorized to perform: {request.action} on resource: "
        f'"{request.resources[0]}" with an explicit deny in a resource-based policy',
        403,
    )


def _policy(call: Call) -> bytes | None:
    name = call.params.get("Bucket")
    bucket = bucket_named(call, name) if name else None
    return None if bucket is None else bucket.policy


def bucket_named(call: Call, name: str) -> Any:
    """The bucket of this name, in whichever account: bucket names are global."""
    from moto.s3.models import s3_backends

    own = partitional(call, "s3").buckets.get(name)
    if own is not None:
        return own
    partition = get_partition(call.region)
    accounts = [backends[partition] for backends in list(s3_backends.values())]
    return next((b.buckets[name] for b in accounts if name in b.buckets), None)


def _requests(call: Call, identity: Identity) -> list[Asked]:
    """One question; of a DeleteObjects, one per object."""
    operation = _ACTIONS.get(call.operation, call.operation)
    bucket = f"arn:{get_partition(call.region)}:s3:::{call.params['Bucket']}"
    if call.operation == "DeleteObjects":
        return [
            _question(call, identity, _with_version(operation, o), f"{bucket}/{o['Key']}")
            for o in call.params["Delete"]["Objects"]
        ]
    resource = f"{bucket}/{call.params['Key']}" if "Key" in call.params else bucket
    return [_question(call, identity, _with_version(operation, call.params), resource)]


def _with_version(operation: str, params: Any) -> str:
    versioned = operation in _VERSIONED and params.get("VersionId")
    if not versioned:
        return operation
    return operation.replace("Object", "ObjectVersion", 1)


def _question(call: Call, identity: Identity, operation: str, resource: str) -> Asked:
    return Asked(
        f"s3:{operation}",
        (resource,),
        (identity.arn, principal_arn(identity), identity.account),
        _context(call, identity),
    )


def _context(call: Call, identity: Identity) -> dict[str, str | tuple[str, ...]]:
    params = call.params
    lock = params.get("Retention", {})
    until = params.get("ObjectLockRetainUntilDate") or lock.get("RetainUntilDate")
    context = {
        "s3:x-amz-server-side-encryption": params.get("ServerSideEncryption"),
        "s3:x-amz-server-side-encryption-aws-kms-key-id": params.get("SSEKMSKeyId"),
        "s3:x-amz-acl": params.get("ACL"),
        "s3:prefix": params.get("Prefix"),
        "s3:VersionId": params.get("VersionId"),
        "s3:object-lock-mode": params.get("ObjectLockMode") or lock.get("Mode"),
        "s3:object-lock-legal-hold": params.get("ObjectLockLegalHoldStatus")
        or params.get("LegalHold", {}).get("Status"),
        "s3:object-lock-remaining-retention-days": _days_until(until),
    }
    return {
        "aws:SecureTransport": "true",
        "s3:TlsVersion": "1.3",
        "s3:signatureversion": "AWS4-HMAC-SHA256",
        "aws:PrincipalArn": principal_arn(identity),
        "aws:PrincipalAccount": identity.account,
        "aws:userid": identity.principal_id,
        "aws:RequestedRegion": call.region,
        **{key: str(value) for key, value in context.items() if value},
    }


def _days_until(until: datetime | None) -> str | None:
    if until is None:
        return None
    now = datetime.now(UTC).replace(tzinfo=None)
    return str((until.replace(tzinfo=None) - now).days)
