"""`x-amz-expected-bucket-owner` is heeded by every operation on a bucket.

Moto ignores it. S3 refuses with 403 when the bucket is of another account (S3 user guide,
"Verifying bucket ownership with bucket owner condition").
"""

from __future__ import annotations

from lab.gate.answers import around
from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import AwsError, Response
from lab.mends.bucket_policy import bucket_named


def mend() -> None:
    """Refuses what expects another owner than the bucket has."""
    around("s3", "*", _heed)


def _heed(call: Call, proceed: Proceed) -> Response:
    expected = call.params.get("ExpectedBucketOwner")
    if expected and (bucket := bucket_named(call, call.params["Bucket"])) is not None:
        if str(bucket.account_id) != expected:
            raise AwsError("AccessDenied", "Access Denied", 403)
    return proceed()
