"""The moto backend behind a call, and a shelf on it for what a mend must remember."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from moto.backends import get_backend
from moto.utilities.utils import get_partition

from lab.gate.call import Call

T = TypeVar("T")


def regional(call: Call, service: str | None = None) -> Any:
    """The backend of a service in the call's account and region (default: the called service)."""
    backends: Any = get_backend(service or call.service)  # type: ignore[call-overload]
    return backends[call.account][call.region]


def partitional(call: Call, service: str) -> Any:
    """The backend of a global service (`iam`, `sts`, `organizations`, `s3`) in the account."""
    backends: Any = get_backend(service)  # type: ignore[call-overload]
    return backends[call.account][get_partition(call.region)]


def shelf(backend: Any, name: str, make: Callable[[], T]) -> T:
    """What a mend keeps under `name` on a backend or model; made when first asked for."""
    state: T = backend.__dict__.setdefault(f"lab_{name}", make())
    return state
