"""Writes results and errors as the called service would, and reads its answers back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from botocore.parsers import create_parser
from moto.core.serialize import SerializationContext, get_serializer_class

from lab.gate.call import Call


@dataclass(frozen=True)
class Response:
    """An HTTP answer as moto hands them around."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes = ""

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status < 400


class AwsError(Exception):
    """An error that AWS answers with; `status` is HTTP's."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def write_result(call: Call, result: Mapping[str, Any]) -> Response:
    """`result`, shaped as boto3 returns it, in the service's wire format."""
    if call.model is None:
        raise ValueError(f"no model of {call.service} {call.operation} to write a result by")
    serializer = get_serializer_class(call.service, call.protocol)
    request_id = str(uuid4())
    context = SerializationContext(request_id)
    written = serializer(operation_model=call.model, context=context).serialize(result)
    headers = {"x-amzn-RequestId": request_id, **written["headers"]}
    return Response(int(written["status_code"]), headers, written["body"])


def write_error(call: Call, error: AwsError) -> Response:
    """The error in the service's wire format, under a new request id."""
    request_id = str(uuid4())
    headers = {"x-amzn-RequestId": request_id}
    if "json" in call.protocol:
        headers |= {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
        body = json.dumps({"__type": error.code, "message": error.message})
        return Response(error.status, headers, body)
    template = {
        "ec2": "<Response><Errors>{}</Errors><RequestID>{}</RequestID></Response>",
        "query": "<ErrorResponse>{}<RequestId>{}</RequestId></ErrorResponse>",
    }.get(call.protocol)
    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    body = (
        f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
        if template is None
        else template.format(f"<Error>{inner}</Error>", request_id)
    )
    return Response(error.status, {**headers, "Content-Type": "text/xml"}, body)


def read_response(call: Call, response: Response) -> dict[str, Any]:
    """The answer as boto3 would return it; of a failed call, with `Error` in it."""
    if call.model is None:
        return {}
    body = response.body.encode() if isinstance(response.body, str) else response.body
    headers = {key.lower(): value for key, value in response.headers.items()}
    shape: Any = call.model.output_shape  # None is allowed: an answer without a body
    parsed: dict[str, Any] = create_parser(call.protocol).parse(
        {"status_code": response.status, "headers": headers, "body": body},
        shape,
    )
    return parsed
