"""The door: patches moto once, in both of its modes, so that every call passes our layers."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from socket import SHUT_RDWR
from typing import Any, cast

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import ServiceException
from moto.core.request import Request, normalize_request
from moto.core.utils import convert_to_flask_response

from lab.gate.call import Call, read_call
from lab.gate.wire import AwsError, Response, write_error

Proceed = Callable[[], Response]
Layer = Callable[[Call, Proceed], Response]
"""Sees a call; answers it, raises `AwsError`, or proceeds to the next layer and at last to moto."""

_layers: list[Layer] = []


class ConnectionLost(Exception):
    """No answer will come: the client sees its connection closed, the call done or not.

    `timed_out`: the client itself stopped waiting, and sees its own read timeout.
    """

    def __init__(self, carried_out: bool, *, timed_out: bool = False) -> None:
        super().__init__("the connection was closed")
        self.carried_out = carried_out
        self.timed_out = timed_out


_client = threading.local()


def read_timeout() -> float:
    """Seconds that the client of the current call waits for an answer; no end in the server.

    There the client is at the other end of a socket, and closes it.
    """
    return float(getattr(_client, "read_timeout", math.inf))


def _read_timeout(request: Any) -> float:
    """What a stubbed request would wait on its socket: its own limit, or that of its client."""
    context = request.context
    limit = context.get("read_timeout") or context["client_config"].read_timeout
    return math.inf if limit is None else float(limit)


def add_layer(layer: Layer) -> None:
    """Puts a layer behind those that are there: the first added sees a call first."""
    _layers.append(layer)


def layers() -> tuple[Layer, ...]:
    """The layers that stand behind the door, from the outermost."""
    return tuple(_layers)


def install() -> None:
    """Puts the door in front of moto, for this process. A second time changes nothing."""
    decorator: Any = BotocoreStubber
    server: Any = convert_to_flask_response
    decorator.process_request = _decorator_door
    server.__call__ = _server_door


def pass_through(request: Request, moto: Proceed) -> Response:
    """Takes one request through all layers to moto."""
    call = read_call(request)
    return moto() if call is None else _walk(call, _layers, moto)


def _walk(call: Call, layers: list[Layer], moto: Proceed) -> Response:
    if not layers:
        return moto()
    try:
        return layers[0](call, lambda: _walk(call, layers[1:], moto))
    except AwsError as error:
        return write_error(call, error)
    except ServiceException as error:  # moto's own, raised by a backend that a layer asked
        return write_error(call, AwsError(error.code, error.message))


_moto_stubber = BotocoreStubber.process_request
_moto_flask = convert_to_flask_response.__call__


def _decorator_door(stubber: BotocoreStubber, request: Any) -> Any:
    """Stands for `BotocoreStubber.process_request`: a prepared request in, a triple out."""
    if hasattr(request.body, "read"):
        request.body = request.body.read()  # we and moto both read it, and a stream has one reading
    _client.read_timeout = _read_timeout(request)
    try:
        answer = pass_through(
            normalize_request(request), lambda: _of(_moto_stubber(stubber, request))
        )
    except ConnectionLost as lost:
        kind = ReadTimeoutError if lost.timed_out else ConnectionClosedError
        raise kind(endpoint_url=request.url) from lost
    finally:
        _client.read_timeout = math.inf
    return answer.status, dict(answer.headers), answer.body


def _server_door(view: convert_to_flask_response, args: Any = None, **kwargs: Any) -> Any:
    """Stands for the view that moto gives Flask: Flask's current request in, its response out."""
    from flask import request as current

    def moto() -> Response:
        answer = _moto_flask(view, args, **kwargs)
        return Response(answer.status_code, dict(answer.headers), answer.get_data())

    try:
        return _flask(pass_through(normalize_request(cast(Any, current)), moto), current.method)
    except ConnectionLost:
        current.environ["werkzeug.socket"].shutdown(SHUT_RDWR)
        return _flask(Response(500), current.method)


def _of(answer: Any) -> Response:
    if answer is None:
        raise RuntimeError("moto let a call through to the network: is its service whitelisted?")
    status, headers, body = answer
    return Response(status, headers, body)


def _flask(answer: Response, method: str) -> Any:
    from flask import Response as FlaskResponse

    response = FlaskResponse(
        response=answer.body, status=answer.status, headers=dict(answer.headers)
    )
    length = {key.lower(): value for key, value in answer.headers.items()}.get("content-length")
    if method == "HEAD" and length is not None:
        response.headers["Content-Length"] = length
    return response
