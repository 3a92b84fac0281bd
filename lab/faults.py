"""Orders misfortune for AWS calls: denied, throttled, failed, lost, slow, garbled, or with a hook.

It works behind the door, so under `mock_aws` and in the server alike. Operations and services may
be patterns (`Describe*`). `times` is how many calls it befalls (None: all); `region` limits it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from lab.gate.call import Call
from lab.gate.door import ConnectionLost, Proceed, read_timeout
from lab.gate.wire import AwsError, Response
from lab.identity import identity_of

Strike = Callable[[Call, Proceed], Response]
GARBAGE = Response(200, {"Content-Type": "application/octet-stream"}, b"\x00\xff{<not an answer")
PORTAL = Response(
    200,
    {"Content-Type": "text/html"},
    "<html><head><title>Guest network</title></head><body><p>Log in.</p></body></html>",
)
"""Well-formed as XML too, which is the harder case: a parser takes it for an empty answer."""


@dataclass
class _Fault:
    service: str
    operation: str
    region: str | None
    left: int | None
    strike: Strike
    only: Callable[[Call], bool]
    struck: int = 0

    def matches(self, call: Call) -> bool:
        return (
            fnmatchcase(call.service, self.service)
            and fnmatchcase(call.operation, self.operation)
            and self.region in (None, call.region)
            and self.left != 0
            and self.only(call)
        )


def _any_call(call: Call) -> bool:
    return True


class Faults:
    """The faults in force. The first that matches a call strikes; hooks let it go on."""

    def __init__(self) -> None:
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.waits: list[tuple[float, float, float]] = []

    def deny(self, service: str, operation: str = "*", **where: Any) -> None:
        """No permission, in the words and with the code of the service."""

        def strike(call: Call, proceed: Proceed) -> Response:
            raise denied(call)

        self._add(service, operation, strike, **where)

    def throttle(self, service: str, operation: str = "*", **where: Any) -> None:
        """Too many requests, by the code that the service uses for it."""

        def strike(call: Call, proceed: Proceed) -> Response:
            raise throttled(call)

        self._add(service, operation, strike, **where)

    def fail(
        self,
        service: str,
        operation: str,
        code: str,
        message: str = "ordered by a test",
        status: int = 400,
        **where: Any,
    ) -> None:
        """Any other error."""

        def strike(call: Call, proceed: Proceed) -> Response:
            raise AwsError(code, message, status)

        self._add(service, operation, strike, **where)

    def lose(self, service: str, operation: str = "*", **where: Any) -> None:
        """The call is carried out, but its answer is lost: the connection breaks."""

        def strike(call: Call, proceed: Proceed) -> Response:
            proceed()
            raise ConnectionLost(carried_out=True)

        self._add(service, operation, strike, **where)

    def unreachable(self, service: str = "*", operation: str = "*", **where: Any) -> None:
        """The connection breaks before anything is carried out."""

        def strike(call: Call, proceed: Proceed) -> Response:
            raise ConnectionLost(carried_out=False)

        self._add(service, operation, strike, **where)

    def hang(self, service: str, operation: str = "*", seconds: float = 30.0, **where: Any) -> None:
        """No answer for so long, then a broken connection. `clear` ends the wait.

        A client that gives up earlier, by its own read timeout, sees that timeout. `waits` keeps
        the beginning and end of every wait (monotonic seconds), and that timeout.
        """

        def strike(call: Call, proceed: Proceed) -> Response:
            limit = read_timeout()
            begun = time.monotonic()
            gave_up = not self._released.wait(min(seconds, limit)) and limit < seconds
            self.waits.append((begun, time.monotonic(), limit))
            raise ConnectionLost(carried_out=False, timed_out=gave_up)

        self._add(service, operation, strike, **where)

    def garble(self, service: str, operation: str = "*", **where: Any) -> None:
        """The call is answered by bytes that mean nothing, as by a broken proxy."""
        self._answer(service, operation, GARBAGE, **where)

    def captive_portal(self, service: str, operation: str = "*", **where: Any) -> None:
        """A page in HTML answers in place of AWS, as the log-in page of a guest network does."""
        self._answer(service, operation, PORTAL, **where)

    def _answer(self, service: str, operation: str, response: Response, **where: Any) -> None:
        self._add(service, operation, lambda call, proceed: response, **where)

    def delay(self, service: str, operation: str, seconds: float, **where: Any) -> None:
        """The answer comes so much later; the next fault may strike as well."""
        self.before(service, operation, lambda call: time.sleep(seconds), **where)

    def before(
        self, service: str, operation: str, hook: Callable[[Call], Any], **where: Any
    ) -> None:
        """Runs `hook` just before the call is carried out."""

        def strike(call: Call, proceed: Proceed) -> Response:
            hook(call)
            return proceed()

        self._add(service, operation, strike, **where)

    def after(
        self, service: str, operation: str, hook: Callable[[Call], Any], **where: Any
    ) -> None:
        """Runs `hook` when the call has been carried out, before its answer is seen."""

        def strike(call: Call, proceed: Proceed) -> Response:
            response = proceed()
            hook(call)
            return response

        self._add(service, operation, strike, **where)

    def clear(self) -> None:
        """Ends all faults, and the wait of calls that hang."""
        with self._lock:
            self._faults = []
            self.waits = []
            self._released.set()
            self._released = threading.Event()

    @property
    def struck(self) -> int:
        """How many times a fault has struck since the last `clear`."""
        return sum(fault.struck for fault in self._faults)

    def layer(self, call: Call, proceed: Proceed) -> Response:
        """The layer for the door."""
        return self._from(self._faults, 0, call, proceed)

    def _from(self, faults: list[_Fault], start: int, call: Call, proceed: Proceed) -> Response:
        number = self._next(faults, start, call)
        if number is None:
            return proceed()
        return faults[number].strike(call, lambda: self._from(faults, number + 1, call, proceed))

    def _next(self, faults: list[_Fault], start: int, call: Call) -> int | None:
        """The number of the first fault from `start` on that strikes this call; counts it."""
        with self._lock:
            for number in range(start, len(faults)):
                fault = faults[number]
                if fault.matches(call):
                    fault.struck += 1
                    fault.left = None if fault.left is None else fault.left - 1
                    return number
        return None

    def _add(
        self,
        service: str,
        operation: str,
        strike: Strike,
        *,
        times: int | None = None,
        region: str | None = None,
        only: Callable[[Call], bool] = _any_call,
    ) -> None:
        with self._lock:
            self._faults.append(_Fault(service, operation, region, times, strike, only))


def denied(call: Call, because: str = "no identity-based policy allows") -> AwsError:
    """The error of a caller without permission (IAM user guide, "Troubleshoot access denied")."""
    arn = identity_of(call).arn
    action = f"{action_prefix(call.service)}:{call.operation}"
    text = (
        f"User: {arn} is not authorized to perform: {action} because {because} the {action} action"
    )
    match call.protocol:
        case "ec2":
            return AwsError("UnauthorizedOperation", f"You are not authorized. {text}", 403)
        case "json":
            return AwsError("AccessDeniedException", text, 400)
        case "rest-json":
            return AwsError("AccessDeniedException", text, 403)
        case _:
            return AwsError("AccessDenied", text, 403)


def throttled(call: Call) -> AwsError:
    """The error of a caller over the rate (EC2: `RequestLimitExceeded`; S3: `SlowDown`)."""
    match call.protocol:
        case "ec2":
            return AwsError("RequestLimitExceeded", "Request limit exceeded.", 503)
        case "rest-xml":
            return AwsError("SlowDown", "Please reduce your request rate.", 503)
        case "query":
            return AwsError("Throttling", "Rate exceeded", 400)
        case _:
            return AwsError("ThrottlingException", "Rate exceeded", 400)


def action_prefix(service: str) -> str:
    """The prefix that IAM gives a service's actions."""
    return {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing"}.get(service, service)
