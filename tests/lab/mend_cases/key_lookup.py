"""Cases of `lab.mends.key_lookup`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused, user_keys


@case
def iam_does_not_tell_who_owns_a_foreign_key(account: Account) -> None:
    iam, sts, keys = account.client("iam"), account.client("sts"), user_keys(account)
    owned = keys["aws_access_key_id"]
    assert iam.get_access_key_last_used(AccessKeyId=owned)["UserName"] == "alice"
    with refused("AccessDenied"):
        iam.get_access_key_last_used(AccessKeyId="AKIAIOSFODNN7EXAMPLE")
    iam.delete_access_key(UserName="alice", AccessKeyId=owned)
    assert sts.get_access_key_info(AccessKeyId=owned)["Account"] == "123456789012"
    assert sts.get_access_key_info(AccessKeyId="AKIA2OGYBAH6QEXAMPLE")["Account"] != "123456789012"
