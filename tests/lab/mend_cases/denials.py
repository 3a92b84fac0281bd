"""Cases of `lab.denials`: what AWS does and plain moto does not."""

from __future__ import annotations

import json

from tests.lab.mend_cases.account import Account, case, refused, user_keys


@case
def everything_can_be_denied_to_a_user(account: Account) -> None:
    keys = user_keys(account)
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    account.client("iam").put_user_policy(
        UserName="alice",
        PolicyName="none",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    with refused("AccessDenied"):
        account.client("iam", **keys).list_users()
    account.client("sts", **keys).get_caller_identity()
