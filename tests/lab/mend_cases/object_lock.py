"""Cases of `lab.mends.object_lock`: what AWS does and plain moto does not."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from tests.lab.mend_cases.account import Account, bucket, case, refused


@case
def a_wrong_checksum_is_refused(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account)
    right = base64.b64encode(hashlib.sha256(b"evidence").digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    s3.put_object(Bucket=name, Key="a", Body=b"evidence", ChecksumSHA256=right)
    with refused("BadDigest"):
        s3.put_object(Bucket=name, Key="b", Body=b"evidence", ChecksumSHA256=wrong)
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 1


@case
def a_locked_bucket_takes_any_checksum(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account, lock=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    digest = base64.b64encode(hashlib.sha256(b"evidence").digest()).decode()
    s3.put_object(Bucket=name, Key="a", Body=b"evidence", ChecksumSHA256=digest)
    head = s3.head_object(Bucket=name, Key="a")
    assert head["ObjectLockMode"] == "GOVERNANCE"
    shown = s3.head_object(Bucket=name, Key="a", ChecksumMode="ENABLED")
    assert shown["ChecksumSHA256"] == digest


@case
def retention_is_told_and_compliance_not_shortened(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account, lock=True)
    until = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    version = s3.put_object(
        Bucket=name,
        Key="a",
        Body=b"x",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=until,
    )["VersionId"]
    told = s3.get_object_retention(Bucket=name, Key="a", VersionId=version)["Retention"]
    assert told == {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": until - timedelta(days=1)}
    with refused("AccessDenied"):
        s3.put_object_retention(Bucket=name, Key="a", VersionId=version, Retention=sooner)
    later = {"Mode": "COMPLIANCE", "RetainUntilDate": until + timedelta(days=1)}
    s3.put_object_retention(Bucket=name, Key="a", VersionId=version, Retention=later)
    told = s3.get_object_retention(Bucket=name, Key="a", VersionId=version)["Retention"]
    assert told["RetainUntilDate"] == later["RetainUntilDate"]
