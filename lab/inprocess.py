"""The mended account in this process: any boto3 client made meanwhile talks to it.

Like `mock_aws`, without its registrations for the `requests` library (50 ms at each start).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast
from unittest.mock import patch

import boto3
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.models import botocore_stubber
from moto.organizations.models import organizations_backends

from lab.mended import mend


@contextmanager
def in_process() -> Iterator[None]:
    """An empty account until the block ends. boto3's default session is made anew in it."""
    reset()
    with connected(), patch("boto3.DEFAULT_SESSION", None):
        yield
    reset()


@contextmanager
def connected() -> Iterator[None]:
    """Until the block ends, boto3 reaches the account as it is, without a server between."""
    mend()
    botocore_stubber.enabled = True
    try:
        yield
    finally:
        botocore_stubber.enabled = False


def clients(env: dict[str, str]) -> Callable[[str, str], Any]:
    """Makes clients with the credentials of `env`, each once, for use in `connected`."""
    session: Any = boto3.Session(
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )
    config = cast(Any, Config)(ignore_configured_endpoint_urls=True)

    @cache
    def client(service: str, region: str) -> Any:
        return session.client(service, region_name=region, config=config)

    return client


def reset() -> None:
    """Empties every account."""
    BackendDict.reset()
    reset_model_data()
    organizations_backends.master_accounts.clear()  # moto forgets it
