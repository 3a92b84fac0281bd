"""STS mints credentials that are new each time, and that the account knows again.

Moto's GetSessionToken and GetFederationToken always give the same key, which nobody owns, and
GetCallerIdentity does not know what they minted. (STS API. Federated users may not call IAM; that
is not enforced here.)
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from moto.utilities.utils import get_partition

from lab.backends import partitional
from lab.gate.answers import amend, answer
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.identity import Identity, Session, identity_of, now, sessions


def mend() -> None:
    """Answers the two; remembers who assumes which role."""
    answer("sts", "GetSessionToken")(_session_token)
    answer("sts", "GetFederationToken")(_federation_token)
    answer("sts", "GetCallerIdentity")(_caller)
    amend("sts", "AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")(_assumed)


def _caller(call: Call) -> dict[str, str]:
    caller = identity_of(call)
    return {"UserId": caller.principal_id, "Account": call.account, "Arn": caller.arn}


def _session_token(call: Call) -> dict[str, Any]:
    caller = identity_of(call)
    return {"Credentials": _mint(call, caller, caller.kind, "", caller.arn, caller.principal_id)}


def _federation_token(call: Call) -> dict[str, Any]:
    caller, name = identity_of(call), call.params["Name"]
    if caller.session is not None:
        raise AwsError(
            "AccessDenied", "Cannot call GetFederationToken with session credentials", 403
        )
    arn = f"arn:{get_partition(call.region)}:sts::{call.account}:federated-user/{name}"
    principal = f"{call.account}:{name}"
    return {
        "Credentials": _mint(call, caller, "FederatedUser", name, arn, principal),
        "FederatedUser": {"FederatedUserId": principal, "Arn": arn},
        "PackedPolicySize": 6,
    }


def _mint(
    call: Call, caller: Identity, kind: str, name: str, arn: str, principal: str
) -> dict[str, Any]:
    key = partitional(call, "iam").create_temp_access_key()
    seconds = call.params.get("DurationSeconds", 43_200)
    sessions(call.account, get_partition(call.region))[key.access_key_id] = Session(
        key.access_key_id, kind, call.access_key, name, arn, principal, caller.arn, now()
    )
    return {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": f"FwoGZXIvYXdzEXAMPLE{uuid4().hex}",
        "Expiration": now() + timedelta(seconds=seconds),
    }


def _assumed(call: Call, result: dict[str, Any]) -> None:
    key, user = result["Credentials"]["AccessKeyId"], result["AssumedRoleUser"]
    account = user["Arn"].split(":")[4]
    sessions(account, get_partition(call.region))[key] = Session(
        key,
        "AssumedRole",
        call.access_key,
        user["Arn"].rsplit("/", 1)[-1],
        user["Arn"],
        user["AssumedRoleId"],
        call.params["RoleArn"],
        now(),
    )
