"""Cases of `lab.mends.sessions`: what AWS does and plain moto does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lab.mend_cases.account import Account, case, refused, user_keys


def session(account: Account, service: str, minted: dict[str, Any]) -> Any:
    return account.client(
        service,
        aws_access_key_id=minted["AccessKeyId"],
        aws_secret_access_key=minted["SecretAccessKey"],
        aws_session_token=minted["SessionToken"],
    )


def older_than(moment: datetime, **more: Any) -> str:
    condition = {"DateLessThan": {"aws:TokenIssueTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}, **more}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [deny]})


@case
def minted_credentials_are_new_and_outlive_the_key(account: Account) -> None:
    keys = user_keys(account)
    sts = account.client("sts", **keys)
    minted = [
        sts.get_session_token()["Credentials"],
        sts.get_session_token()["Credentials"],
        sts.get_federation_token(Name="guest")["Credentials"],
    ]
    assert len({m["AccessKeyId"] for m in minted}) == 3
    assert {m["AccessKeyId"][:4] for m in minted} == {"ASIA"}
    account.client("iam").update_access_key(
        UserName="alice", AccessKeyId=keys["aws_access_key_id"], Status="Inactive"
    )
    for m in minted:
        account.client(
            "ec2",
            aws_access_key_id=m["AccessKeyId"],
            aws_secret_access_key=m["SecretAccessKey"],
            aws_session_token=m["SessionToken"],
        ).describe_vpcs()


@case
def sessions_of_a_user_can_be_revoked_and_the_key_goes_on(account: Account) -> None:
    keys = user_keys(account)
    sts = account.client("sts", **keys)
    minted = sts.get_session_token()["Credentials"]
    federated = sts.get_federation_token(Name="guest")["Credentials"]
    account.client("iam").put_user_policy(
        UserName="alice",
        PolicyName="revoked",
        PolicyDocument=older_than(datetime.now(UTC) + timedelta(seconds=30)),
    )
    for credentials in (minted, federated):
        with refused("UnauthorizedOperation"):
            session(account, "ec2", credentials).describe_vpcs()
    account.client("ec2", **keys).describe_vpcs()
    account.client("iam").delete_user_policy(UserName="alice", PolicyName="revoked")
    session(account, "ec2", minted).describe_vpcs()


@case
def sessions_of_one_instance_can_be_revoked_alone(account: Account) -> None:
    iam, sts = account.client("iam"), account.client("sts")
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument="{}")["Role"]
    one, other = (
        sts.assume_role(RoleArn=role["Arn"], RoleSessionName=name)["Credentials"]
        for name in ("i-0123456789abcdef0", "i-0fedcba9876543210")
    )
    soon = datetime.now(UTC) + timedelta(seconds=30)
    only = {"StringLike": {"aws:userid": f"{role['RoleId']}:i-0123456789abcdef0*"}}
    iam.put_role_policy(
        RoleName="app", PolicyName="revoked", PolicyDocument=older_than(soon, **only)
    )
    with refused("UnauthorizedOperation"):
        session(account, "ec2", one).describe_vpcs()
    session(account, "ec2", other).describe_vpcs()


@case
def a_session_says_who_it_is(account: Account) -> None:
    sts = account.client("sts", **user_keys(account))

    def arn(minted: dict[str, Any]) -> str:
        return account.client(
            "sts",
            aws_access_key_id=minted["AccessKeyId"],
            aws_secret_access_key=minted["SecretAccessKey"],
            aws_session_token=minted["SessionToken"],
        ).get_caller_identity()["Arn"]

    assert arn(sts.get_session_token()["Credentials"]).endswith(":user/alice")
    federated = arn(sts.get_federation_token(Name="guest")["Credentials"])
    assert federated.endswith(":federated-user/guest")
