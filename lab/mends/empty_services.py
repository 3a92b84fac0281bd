"""Services that nobody uses in the lab: they answer, and have nothing.

Moto has no Lightsail, and its CloudFormation needs packages that the lab does not install: its
server can't even tell to whom such a call goes.
"""

from __future__ import annotations

from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError

_moto_backend_for_host = DomainDispatcherApplication.get_backend_for_host


def mend() -> None:
    """Answers what looks for something there."""
    answer("lightsail", "GetInstances")(lambda _call: {"instances": []})
    answer("lightsail", "GetInstance")(_no_instance)
    answer("cloudformation", "DescribeStacks")(_stacks)
    dispatcher: Any = DomainDispatcherApplication
    dispatcher.get_backend_for_host = _backend_for_host


def _backend_for_host(dispatcher: Any, host: str | None) -> Any:
    """Any backend will do for a call that is answered before it gets there."""
    if host is not None and host.startswith(("lightsail.", "cloudformation.")):
        return "sts"
    return _moto_backend_for_host(dispatcher, host)


def _no_instance(call: Call) -> dict[str, Any]:
    name = call.params["instanceName"]
    raise AwsError("NotFoundException", f"The Instance does not exist: {name}", 404)


def _stacks(call: Call) -> dict[str, Any]:
    """A stack that does not exist is a `ValidationError` (CloudFormation API, DescribeStacks)."""
    if name := call.params.get("StackName"):
        raise AwsError("ValidationError", f"Stack with id {name} does not exist")
    return {"Stacks": []}
