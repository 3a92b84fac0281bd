"""Fixtures that every folder of tests may use: an AWS account in this process, and misfortune.

`aws_lab` is the fast one: moto under the door, mended, nothing in it. `lab_server` is the same
account behind a port of the loopback, for what runs in another process.
"""

from __future__ import annotations

import functools
import gc
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.retries.standard
import botocore.session
import moto.core.responses
import pytest

from lab.calls import Calls
from lab.faults import Faults
from lab.inprocess import in_process, reset
from lab.mended import CALLS, FAULTS, TRAIL, mend
from lab.server import HOME_REGION, Server, credentials_env, serve
from lab.trail.trail import Trail
from responders.connection import forget_silence

mend()
# In the background of a shell, or under nohup, the tests and what they start would ignore these.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# A full collection over botocore's models takes half a second, and frees nothing.
gc.set_threshold(200_000, 50, 1000)
# Every boto3 Session parses the service models anew (200 ms for EC2); in tests they share them.
botocore.session.create_loader = functools.cache(botocore.loaders.create_loader)
# Moto lists a class's methods anew at each call; the mends have added theirs by now.
moto.core.responses.method_names_from_class = functools.cache(
    moto.core.responses.method_names_from_class
)


@dataclass(frozen=True)
class AwsLab:
    """The account, seen with plain boto3. `home` is where cordon keeps its cases."""

    home: Path
    endpoint: str | None = None

    def client(self, service: str, region: str = HOME_REGION) -> Any:
        """A client with the owner's credentials."""
        return _client(service, region, self.endpoint)


@functools.cache
def _client(service: str, region: str, endpoint: str | None) -> Any:
    env = credentials_env()
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture
def lab_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a lab: its credentials, none of this machine's, a home for cases."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in credentials_env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    home = tmp_path / "cordon"
    monkeypatch.setenv("CORDON_HOME", str(home))
    return home


@pytest.fixture
def aws_lab(lab_env: Path) -> Iterator[AwsLab]:
    """An empty, mended account in this process: boto3 reaches it from any thread."""
    with in_process():
        FAULTS.clear()
        CALLS.clear()
        yield AwsLab(lab_env)
        FAULTS.clear()


@pytest.fixture
def faults(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Misfortune for the calls of `aws_lab`; boto3 retries as ever, but without waiting."""
    _no_backoff(monkeypatch)
    forget_silence()
    return FAULTS


@pytest.fixture
def calls(aws_lab: AwsLab) -> Calls:
    """The calls that reach `aws_lab` from here on: ask for it after what builds the scene."""
    CALLS.clear()
    return CALLS


@pytest.fixture
def trail(aws_lab: AwsLab) -> Iterator[Trail]:
    """CloudTrail of `aws_lab`: every call is in it, and records can be planted."""
    yield TRAIL
    TRAIL.limit(None)


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture
def lab_server(_server: Server, lab_env: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsLab]:
    """The account, empty, behind a port; the environment points this process and others to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", _server.endpoint)
    reset()
    FAULTS.clear()
    CALLS.clear()
    yield AwsLab(lab_env, _server.endpoint)
    FAULTS.clear()


def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    backoff = botocore.retries.standard.ExponentialBackoff
    monkeypatch.setattr(backoff, "delay_amount", lambda self, context: 0.0)
    monkeypatch.setattr("responders.host.call_once.PAUSE", 0.0)
