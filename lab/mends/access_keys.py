"""An inactive or deleted access key is refused; credentials minted from it live on.

Moto never refuses an inactive key. (IAM user guide, "Manage access keys"; the error's code is the
service's.) A key that IAM never knew is the lab's owner and works.
"""

from __future__ import annotations

from typing import Any

from lab.backends import partitional, shelf
from lab.gate.answers import around
from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import AwsError, Response


def mend() -> None:
    """Remembers keys that are deleted; `refuse_dead_keys` is the layer that refuses."""
    around("iam", "DeleteAccessKey", _remember)


def refuse_dead_keys(call: Call, proceed: Proceed) -> Response:
    """A layer for the door."""
    if _is_dead(call):
        raise _refusal(call)
    return proceed()


def _remember(call: Call, proceed: Proceed) -> Response:
    response = proceed()
    if response.ok:
        _deleted(call).add(call.params["AccessKeyId"])
    return response


def _deleted(call: Call) -> set[str]:
    return shelf(partitional(call, "iam"), "deleted_keys", set[str])


def _is_dead(call: Call) -> bool:
    if call.access_key in _deleted(call):
        return True
    key: Any = partitional(call, "iam").access_keys.get(call.access_key)
    return key is not None and key.status == "Inactive"


def _refusal(call: Call) -> AwsError:
    match call.protocol:
        case "ec2":
            return AwsError(
                "AuthFailure", "AWS was not able to validate the provided access credentials", 401
            )
        case "rest-xml":
            return AwsError(
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
                403,
            )
        case "query":
            return AwsError(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
                403,
            )
        case _:
            return AwsError(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
