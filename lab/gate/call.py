"""Reads an HTTP request as the AWS call that it is, by the service's own model."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from
from moto.utilities.utils import get_partition
from werkzeug.exceptions import NotFound

_READS = re.compile(
    "(AssumeRole|BatchGet|Check|Decode|Decrypt|Describe|Download|Estimate|Filter|GenerateDataKey"
    "|Get|Head|List|Lookup|Preview|Query|Scan|Search|Select|Simulate|Test|Validate|Verify|View)"
)
"""Operations that change nothing begin with one of these; so does CloudTrail's `readOnly`."""

_SIGNING_NAMES = {
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "email": "ses",
    "tagging": "resourcegroupstaggingapi",
}
"""Services that sign under another name than boto3 gives them."""

_GLOBAL = {"account", "cloudfront", "iam", "organizations", "route53"}
"""Services with one region per partition; a client with its own endpoint signs for any."""

_CREDENTIAL = re.compile(
    r"(?P<key>[^/=\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
)


@dataclass(frozen=True)
class Call:
    """One AWS call: `service` and `operation` as boto3 and the API name them.

    `params` are boto3's parameters as the service reads them (a body of bytes included).
    `model` is None when the call is of no operation that botocore knows; `operation` is then the
    HTTP method and path. `region` is the one that the call was signed for,
    or the home of a global service.
    """

    service: str
    operation: str
    region: str
    params: Mapping[str, Any]
    access_key: str
    account: str
    user_agent: str
    request: Request
    model: OperationModel | None = None

    @property
    def mutating(self) -> bool:
        """Whether the call may change something; of an unknown call, unless it is a GET or HEAD."""
        if self.model is None:
            return not self.operation.startswith(("GET ", "HEAD "))
        return _READS.match(self.operation) is None

    @property
    def protocol(self) -> str:
        """The wire protocol that the caller speaks, such as `ec2`, `query`, `json`, `rest-xml`."""
        if self.model is None:
            return "json"
        return determine_request_protocol(self.model.service_model, self.request.content_type)


def read_call(request: Request) -> Call | None:
    """The call that a signed request makes; None for one that no AWS credential signs."""
    signed = _signed(request)
    if signed is None:
        return None
    access_key, region, signing_name = signed
    service = _service(signing_name, request)
    model, params = _operation(service, request)
    return Call(
        service=service,
        operation=model.name if model else f"{request.method} {request.path}",
        region=_home(region) if service in _GLOBAL else region,
        params=params,
        access_key=access_key,
        account=_account(request, access_key),
        user_agent=request.headers.get("User-Agent", ""),
        request=request,
        model=model,
    )


def _signed(request: Request) -> tuple[str, str, str] | None:
    """Access key, region and signing name; in the header, or in the query of a presigned link."""
    scope = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    scope = scope or _CREDENTIAL.search(unquote(request.args.get("X-Amz-Credential", "")))
    if scope is not None:
        return scope["key"], scope["region"], scope["service"]
    if "AWSAccessKeyId" in request.args:  # S3's older kind of link, which names no region
        return request.args["AWSAccessKeyId"], "us-east-1", "s3"
    return None


def _home(region: str) -> str:
    """The region of the partition's global services."""
    return {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}.get(
        get_partition(region), "us-east-1"
    )


def _service(signing_name: str, request: Request) -> str:
    name = signing_name.lower()
    if name == "elasticloadbalancing":
        return "elb" if request.values.get("Version") == "2012-06-01" else "elbv2"
    if name == "s3" and request.path.startswith("/v20180820/"):
        return "s3control"
    return _SIGNING_NAMES.get(name, name)


def _operation(service: str, request: Request) -> tuple[OperationModel | None, dict[str, Any]]:
    if not _is_known(service):
        return None, {}
    try:
        model, in_path = get_service_router(service).match(request)
    except (NotFound, NotImplementedError):
        return None, {}
    protocol = determine_request_protocol(model.service_model, request.content_type)
    parsed = PROTOCOL_PARSERS[protocol](model).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": in_path,
        }
    )
    return model, dict(parsed)


@cache
def _is_known(service: str) -> bool:
    try:
        get_service_model(service)
    except UnknownServiceError:
        return False
    return True


def _account(request: Request, access_key: str) -> str:
    """Moto's own rule: the environment, a header, then the owner of the key."""
    forced = os.environ.get("MOTO_ACCOUNT_ID") or request.headers.get("x-moto-account-id")
    return forced or str(get_account_id_from(access_key))
