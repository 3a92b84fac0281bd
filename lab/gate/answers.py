"""Answers to operations that moto lacks, and changes to what moto answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.gate.call import Call
from lab.gate.door import Layer, Proceed
from lab.gate.wire import AwsError, Response, read_response, write_result

Answer = Callable[[Call], Mapping[str, Any]]
"""Gives the result as boto3 returns it; raises `AwsError` or one of moto's own errors."""
Amend = Callable[[Call, dict[str, Any]], None]
"""Changes moto's result in place."""
Check = Callable[[Call], None]

_checks: dict[tuple[str, str], list[Check]] = {}
_around: dict[tuple[str, str], list[Layer]] = {}


def answer(service: str, *operations: str) -> Callable[[Answer], Answer]:
    """Lets the function answer these operations in moto's place."""

    def register(function: Answer) -> Answer:
        def layer(call: Call, proceed: Proceed) -> Response:
            _refuse_dry_run(call)
            return write_result(call, function(call))

        for operation in operations:
            around(service, operation, layer)
        return function

    return register


def amend(service: str, *operations: str) -> Callable[[Amend], Amend]:
    """Lets the function change what moto answers to these operations when they succeed."""

    def register(function: Amend) -> Amend:
        def layer(call: Call, proceed: Proceed) -> Response:
            response = proceed()
            if not response.ok:
                return response
            result = read_response(call, response)
            result.pop("ResponseMetadata", None)
            function(call, result)
            return write_result(call, result)

        for operation in operations:
            around(service, operation, layer)
        return function

    return register


def check(service: str, *operations: str) -> Callable[[Check], Check]:
    """Lets the function refuse a call, by an `AwsError`, before anything carries it out."""

    def register(function: Check) -> Check:
        for operation in operations:
            _checks.setdefault((service, operation), []).append(function)
        return function

    return register


def around(service: str, operation: str, layer: Layer) -> None:
    """Puts a layer around one operation, or all (`*`); the last put sees a call first."""
    _around.setdefault((service, operation), []).insert(0, layer)


def _refuse_dry_run(call: Call) -> None:
    if call.service == "ec2" and call.params.get("DryRun"):
        raise AwsError(
            "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412
        )


def answers(call: Call, proceed: Proceed) -> Response:
    """The layer for the door."""
    for refuse in _checks.get((call.service, call.operation), ()):
        refuse(call)
    of_service = _around.get((call.service, "*"), [])
    return _walk(call, [*of_service, *_around.get((call.service, call.operation), [])], proceed)


def _walk(call: Call, layers: list[Layer], proceed: Proceed) -> Response:
    if not layers:
        return proceed()
    return layers[0](call, lambda: _walk(call, layers[1:], proceed))
