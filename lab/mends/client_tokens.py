"""The same call with the same `ClientToken` is carried out once, and answered the same.

Moto ignores the token (EC2 API, "Ensuring idempotency"). A token with other parameters is refused
as `IdempotentParameterMismatch`.
"""

from __future__ import annotations

from typing import Any

from lab.backends import regional, shelf
from lab.gate.answers import around
from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import AwsError, Response

_OPERATIONS = ("RunInstances", "CreateVolume", "CreateVpcEndpoint")

_Kept = dict[tuple[str, str], tuple[dict[str, Any], Response]]


def mend() -> None:
    """Keeps each answer with its token."""
    for operation in _OPERATIONS:
        around("ec2", operation, _once)


def _once(call: Call, proceed: Proceed) -> Response:
    token = call.params.get("ClientToken")
    if not token:
        return proceed()
    answers: _Kept = shelf(regional(call), "tokens", dict)
    key = (call.operation, token)
    if key not in answers:
        response = proceed()
        if response.ok:
            answers[key] = (dict(call.params), response)
        return response
    parameters, response = answers[key]
    if parameters != dict(call.params):
        raise AwsError(
            "IdempotentParameterMismatch",
            "The client token was used before, with other parameters.",
        )
    return response
