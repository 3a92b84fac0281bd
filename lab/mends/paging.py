"""Long lists come in pages.

Moto gives these whole, whatever page size is asked for. IAM's default page is 100 (IAM API); the
others page only when asked to. Each page is cut from the whole list as it is at that time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.core.utils import get_pagination_model

from lab.gate.answers import amend
from lab.gate.call import Call
from lab.gate.wire import AwsError

_WHOLE = {
    ("iam", "ListUsers"): 100,
    ("iam", "ListAccessKeys"): 100,
    ("ec2", "DescribeSecurityGroups"): None,
    ("ec2", "DescribeNetworkInterfaces"): None,
    ("ec2", "DescribeSnapshots"): None,
    ("ec2", "DescribeVolumes"): None,
}
"""Operations to page, and the page size when none is asked for (None: all at once)."""


def mend() -> None:
    """Cuts the answers of these operations."""
    for (service, operation), size in _WHOLE.items():
        amend(service, operation)(_cut(service, operation, size))


def _cut(
    service: str, operation: str, default: int | None
) -> Callable[[Call, dict[str, Any]], None]:
    @cache
    def model() -> Any:
        return get_pagination_model(service)[operation]

    def cut(call: Call, result: dict[str, Any]) -> None:
        keys = model()
        size = call.params.get(keys["limit_key"], default)
        start = _start(call.params.get(keys["input_token"]))
        items = result[keys["result_key"]]
        end = len(items) if size is None else start + size
        result[keys["result_key"]] = items[start:end]
        has_next = end < len(items)
        if has_next:
            result[keys["output_token"]] = base64.b64encode(f"lab:{end}".encode()).decode()
        if "more_results" in keys:
            result[keys["more_results"]] = has_next

    return cut


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token).decode().removeprefix("lab:"))
    except ValueError as error:
        raise AwsError("InvalidPaginationToken", f"The token '{token}' is not valid.") from error
