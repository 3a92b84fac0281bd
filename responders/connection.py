"""What stands between this machine and AWS: how long a read may take, and whose answer it was.

Three things go wrong there that a client of boto3 does not tell apart from AWS's own answers: an
endpoint that never answers, a proxy or captive portal that answers in its place, and a wait of
which nobody sees anything. `watch_over` hangs on the events of a session and deals with all three.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from contract import READING_VERBS

READS = (*READING_VERBS, "Filter", "StartQuery")
"""Operations that begin so change nothing. A dry run lets no other through."""
CONNECT_TIMEOUT = 3.0
"""Seconds to reach an endpoint, of every call: enough for a lost packet or two."""
READ_TIMEOUT = 30.0
"""Seconds without an answer after which a call has failed, where nothing urgent waits for it."""
HURRIED_READ_TIMEOUT = 5.0
"""The same for a read that containment waits for: these answer within one second."""
HURRIED_RETRIES = 5.5
"""Seconds within which a hurried read may be tried again; see `longest_hurried_read`."""
SILENT_FOR = 30.0
"""Seconds for which a read that did not answer is not waited for again in a hurry."""

_hurry: contextvars.ContextVar[bool] = contextvars.ContextVar("hurry", default=False)


class NotFromAws(Exception):
    """Something else answered: a proxy, a captive portal, or a connection that garbles."""


class Silent(Exception):
    """A read that just did not answer was not sent again, because containment waits."""


@contextmanager
def hurried() -> Iterator[None]:
    """Reads made inside give up soon, and one that never answered is not asked again at once.

    Also those of threads that `Aws.spawn` starts inside. Calls that change something keep their
    own, longer limits: to give up on them says nothing about whether they were carried out.
    """
    token = _hurry.set(True)
    try:
        yield
    finally:
        _hurry.reset(token)


def longest_hurried_read() -> float:
    """Seconds after which a hurried read has ended, whatever happens: below the 15 s allowed.

    boto3's standard mode waits at most 1, 2, 4 and 8 s between its five tries. A try begins at most
    one such pause after `HURRIED_RETRIES`, and ends after the read timeout.
    """
    slow = HURRIED_READ_TIMEOUT + 1.0 + HURRIED_READ_TIMEOUT  # hangs, and hangs once more
    quick = HURRIED_RETRIES + 8.0  # errors that come at once, and the longest pause between them
    return max(slow, quick)


@dataclass
class UnderWay:
    """One call that has not ended yet. `begun` is in clock seconds (monotonic)."""

    action: str
    region: str
    begun: float


_under_way: dict[int, UnderWay] = {}
_silent: dict[tuple[str, str], tuple[float, str]] = {}
"""Action and region of reads that did not answer, with when (monotonic) and the error."""
_lock = threading.Lock()


def under_way() -> list[UnderWay]:
    """The calls of this process that have not ended, the oldest first."""
    with _lock:
        return sorted(_under_way.values(), key=lambda call: call.begun)


def forget_silence() -> None:
    """Lets every read be asked again at once."""
    _silent.clear()


def watch_over(events: Any) -> None:
    """Registers on the events of a botocore session, before its clients are made."""
    events.register("before-call", _before)
    events.register("after-call", _after)
    events.register("after-call-error", _failed)
    events.register_first("needs-retry", _may_retry)


def _before(model: Any, context: dict[str, Any], **_: Any) -> None:
    """Notes the call; a read in a hurry gets its short limit."""
    action, region = _action(model), str(context.get("client_region", ""))
    context["cordon"] = call = UnderWay(action, region, time.monotonic())
    if _hurry.get() and model.name.startswith(READS):
        since, trouble = _silent.get((action, region), (-SILENT_FOR, ""))
        if trouble and call.begun - since < SILENT_FOR:
            raise Silent(f"{action} in {region} did not answer: {trouble}")
        context["cordon_hurry"] = True
        context["read_timeout"] = HURRIED_READ_TIMEOUT
    with _lock:
        _under_way[id(call)] = call


def _after(
    http_response: Any, model: Any, parsed: Mapping[str, Any], context: Any, **_: Any
) -> None:
    """Forgets the call. `NotFromAws` for an answer that lacks what every one of AWS has."""
    _ended(context)
    meta = parsed.get("ResponseMetadata", {})
    headers = meta.get("HTTPHeaders", {})
    signed = meta.get("RequestId") or any(name.startswith("x-amz") for name in headers)
    # AWS's own load balancers refuse with a bare 5xx.
    if not signed and http_response.status_code < 500:
        kind = headers.get("content-type", "of no type")
        raise NotFromAws(_not_from_aws(_action(model), f"it is {kind}, without a request id"))


def _failed(exception: Exception, context: Any, **_: Any) -> None:
    """Forgets the call, remembers an endpoint that is silent, and names garbage as such."""
    from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
    from botocore.parsers import ResponseParserError

    call = _ended(context)
    if call is None:
        return
    # botocore's transport errors have a URL and no operation; `responders.aws.explain` reads this.
    exception.operation_name = f"{call.action} in {call.region}"  # type: ignore[attr-defined]
    timed_out = isinstance(exception, ConnectTimeoutError | ReadTimeoutError)
    if timed_out and context.get("cordon_hurry"):
        _silent[call.action, call.region] = (time.monotonic(), str(exception).split(":")[0])
    if isinstance(exception, ResponseParserError | ValueError | LookupError | TypeError):
        # JSON that is no UTF-8, an XML document of another kind: botocore's parsers let
        # these through as they come.
        text = f"it can't be read ({type(exception).__name__})"
        raise NotFromAws(_not_from_aws(call.action, text)) from exception


def _may_retry(
    request_dict: Mapping[str, Any],
    response: tuple[Any, Mapping[str, Any]] | None,
    operation: Any,
    caught_exception: Exception | None,
    **_: Any,
) -> None:
    """Ends a hurried read that has had its time, with the error that it met last.

    botocore's own handler, which comes next, counts tries and not seconds.
    """
    context = request_dict.get("context", {})
    if not context.get("cordon_hurry"):
        return
    if time.monotonic() - context["cordon"].begun < HURRIED_RETRIES:
        return
    if caught_exception is not None:
        raise caught_exception
    if response is not None and response[1].get("Error"):
        from botocore.exceptions import ClientError

        raise ClientError(cast(Any, response[1]), operation.name)


def _ended(context: Any) -> UnderWay | None:
    call = (context or {}).get("cordon")
    with _lock:
        return _under_way.pop(id(call), None)


def _action(model: Any) -> str:
    return f"{model.service_model.service_name}:{model.name}"


def _not_from_aws(action: str, what: str) -> str:
    return (
        f"the answer to {action} is not from AWS: {what}. A proxy or a captive portal may stand "
        "between this machine and AWS"
    )
