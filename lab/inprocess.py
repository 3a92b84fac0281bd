"""The mended account in this process: any boto3 client made meanwhile talks to it.

Like `mock_aws`, without its registrations for the `requests` library (50 ms at each start).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.models import botocore_stubber

from lab.mended import mend


@contextmanager
def in_process() -> Iterator[None]:
    """An empty account until the block ends. boto3's default session is made anew in it."""
    mend()
    reset()
    botocore_stubber.enabled = True
    try:
        with patch("boto3.DEFAULT_SESSION", None):
            yield
    finally:
        botocore_stubber.enabled = False
        reset()


def reset() -> None:
    """Empties every account."""
    BackendDict.reset()
    reset_model_data()
