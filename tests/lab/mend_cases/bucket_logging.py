"""Cases of `lab.mends.bucket_logging`: what AWS does and plain moto does not."""

from __future__ import annotations

import json

from tests.lab.mend_cases.account import Account, bucket, case


@case
def access_logs_are_let_in_beside_other_statements(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account)
    s3.create_bucket(Bucket="logs-example")
    statements = [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::logs-example/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs-example/vault/*",
        },
    ]
    s3.put_bucket_policy(Bucket="logs-example", Policy=json.dumps({"Statement": statements}))
    target = {"TargetBucket": "logs-example", "TargetPrefix": "vault/"}
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": target})
    assert s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetPrefix"] == "vault/"
