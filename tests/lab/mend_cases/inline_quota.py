"""Cases of `lab.mends.inline_quota`: what AWS does and plain moto does not."""

from __future__ import annotations

import json

from tests.lab.mend_cases.account import Account, case, refused


@case
def inline_policies_have_a_limit(account: Account) -> None:
    iam = account.client("iam")
    iam.create_user(UserName="alice")

    def document(characters: int) -> str:
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/"}
        statement["Resource"] += "x" * characters
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    iam.put_user_policy(UserName="alice", PolicyName="one", PolicyDocument=document(1_700))
    with refused("LimitExceeded"):
        iam.put_user_policy(UserName="alice", PolicyName="two", PolicyDocument=document(300))
    iam.put_user_policy(UserName="alice", PolicyName="one", PolicyDocument=document(1_800))
    for n in range(11):
        arn = iam.create_policy(PolicyName=f"p{n}", PolicyDocument=document(1))["Policy"]["Arn"]
        if n < 10:
            iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    with refused("LimitExceeded"):
        iam.attach_user_policy(UserName="alice", PolicyArn=arn)
