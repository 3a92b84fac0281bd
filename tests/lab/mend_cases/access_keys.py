"""Cases of `lab.mends.access_keys`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused, user_keys


@case
def an_inactive_key_is_refused_and_a_deleted_one_too(account: Account) -> None:
    iam, keys = account.client("iam"), user_keys(account)
    key = {"UserName": "alice", "AccessKeyId": keys["aws_access_key_id"]}
    sts, ec2 = account.client("sts", **keys), account.client("ec2", **keys)
    assert sts.get_caller_identity()["Arn"].endswith(":user/alice")
    iam.update_access_key(**key, Status="Inactive")
    with refused("InvalidClientTokenId"):
        sts.get_caller_identity()
    with refused("AuthFailure"):
        ec2.describe_vpcs()
    iam.update_access_key(**key, Status="Active")
    ec2.describe_vpcs()
    iam.delete_access_key(**key)
    with refused("InvalidClientTokenId"):
        sts.get_caller_identity()
