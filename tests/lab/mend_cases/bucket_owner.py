"""Cases of `lab.mends.bucket_owner`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused


@case
def a_bucket_of_another_owner_than_expected_answers_nothing(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="evidence")
    s3.put_object(Bucket="evidence", Key="a", Body=b"", ExpectedBucketOwner="123456789012")
    for operation, more in (("put_object", {"Key": "b"}), ("get_bucket_versioning", {})):
        with refused("AccessDenied"):
            getattr(s3, operation)(Bucket="evidence", ExpectedBucketOwner="444455556666", **more)
    assert s3.list_objects_v2(Bucket="evidence")["KeyCount"] == 1
