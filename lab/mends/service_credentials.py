"""Users have service-specific credentials: names and passwords, or API keys, of single services.

Moto has none. (IAM API, CreateServiceSpecificCredential and its like; at most two a service.)
"""

from __future__ import annotations

from typing import Any

from moto.iam.utils import random_access_key, random_alphanumeric

from lab.backends import partitional, shelf
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.identity import now

_MOST = 2


def mend() -> None:
    """Answers the four operations."""
    answer("iam", "CreateServiceSpecificCredential")(_create)
    answer("iam", "ListServiceSpecificCredentials")(_list)
    answer("iam", "UpdateServiceSpecificCredential")(_update)
    answer("iam", "DeleteServiceSpecificCredential")(_delete)


def _of_user(call: Call) -> dict[str, dict[str, Any]]:
    """A user's credentials by id."""
    user = partitional(call, "iam").get_user(call.params["UserName"])
    return shelf(user, "service_credentials", dict[str, dict[str, Any]])


def _create(call: Call) -> dict[str, Any]:
    service, credentials = call.params["ServiceName"], _of_user(call)
    if sum(1 for c in credentials.values() if c["ServiceName"] == service) >= _MOST:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for {service}: {_MOST}", 409)
    credential = {
        "CreateDate": now(),
        "ServiceName": service,
        "ServiceUserName": f"{call.params['UserName']}-at-{call.account}",
        "ServiceSpecificCredentialId": f"ACCA{random_access_key()}",
        "UserName": call.params["UserName"],
        "Status": "Active",
    }
    credentials[credential["ServiceSpecificCredentialId"]] = credential
    return {"ServiceSpecificCredential": {**credential, "ServicePassword": random_alphanumeric(43)}}


def _list(call: Call) -> dict[str, Any]:
    service = call.params.get("ServiceName")
    credentials = [c for c in _of_user(call).values() if service in (None, c["ServiceName"])]
    return {"ServiceSpecificCredentials": credentials, "IsTruncated": False}


def _update(call: Call) -> dict[str, Any]:
    _known(call)["Status"] = call.params["Status"]
    return {}


def _delete(call: Call) -> dict[str, Any]:
    del _of_user(call)[_known(call)["ServiceSpecificCredentialId"]]
    return {}


def _known(call: Call) -> dict[str, Any]:
    credential = call.params["ServiceSpecificCredentialId"]
    known = _of_user(call).get(credential)
    if known is None:
        raise AwsError("NoSuchEntity", f"The credential {credential} cannot be found.", 404)
    return known
