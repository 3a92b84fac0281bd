"""Cases of `lab.mends.bucket_policy`: what AWS does and plain moto does not."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.mend_cases.account import Account, bucket, case, refused


@case
def conditions_of_a_bucket_policy_count(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account)

    def deny(action: str, condition: dict[str, Any]) -> dict[str, Any]:
        return {
            "Effect": "Deny",
            "Principal": "*",
            "Action": action,
            "Resource": f"arn:aws:s3:::{name}/*",
            "Condition": condition,
        }

    policy = [
        deny("s3:*", {"Bool": {"aws:SecureTransport": "false"}}),
        deny(
            "s3:PutObject",
            {
                "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
                "Null": {"s3:x-amz-server-side-encryption": "false"},
            },
        ),
        deny("s3:DeleteObject*", {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/x"}}),
    ]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": policy}))
    s3.put_object(Bucket=name, Key="a", Body=b"x")
    s3.put_object(Bucket=name, Key="b", Body=b"x", ServerSideEncryption="aws:kms")
    assert s3.get_object(Bucket=name, Key="a")["Body"].read() == b"x"
    with refused("AccessDenied"):
        s3.put_object(Bucket=name, Key="c", Body=b"x", ServerSideEncryption="AES256")
    with refused("AccessDenied"):
        s3.delete_object(Bucket=name, Key="a")
    with refused("AccessDenied"):
        s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "a"}]})
