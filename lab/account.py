"""The lab's account: moto's server, mended, with what Pulumi prepares really in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID

from lab.inprocess import clients, connected, reset
from lab.mends import regions as region_list
from lab.server import HOME_REGION, Server, credentials_env, serve
from responders import project

if TYPE_CHECKING:
    from lab.engine.engine import Engine

PROGRAM = project.source("__main__.py")
RESPONDER = "alice"
"""The user who responds. An example's name."""


@dataclass(frozen=True)
class Prepared:
    """What the program made: its exports, how many resources, and in how many seconds."""

    exports: Mapping[str, Any]
    resources: int
    seconds: float

    @property
    def regions(self) -> list[str]:
        """The prepared regions."""
        return list(self.exports["regions"])


class Account:
    """One account behind a server. `env` is what a program exports to be its responder."""

    def __init__(self, server: Server, env: Mapping[str, str]) -> None:
        self.server = server
        self.env = env

    @cached_property
    def _session(self) -> Any:
        return boto3.Session(
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
        )

    def client(self, service: str, region: str = HOME_REGION) -> Any:
        """Plain boto3, through the server."""
        return self._session.client(service, region_name=region, endpoint_url=self.server.endpoint)

    @contextmanager
    def directly(self) -> Iterator[Callable[[str, str], Any]]:
        """Clients that need no server: for building much, quickly. One thread at a time."""
        with connected():
            yield clients(credentials_env())

    @cached_property
    def _engine(self) -> Engine:
        from lab.engine.engine import Engine  # a second of imports, which `--empty` needs not

        return Engine(clients(credentials_env()), HOME_REGION)

    def prepare(self, config: Mapping[str, Any] | None = None) -> Prepared:
        """Runs the Pulumi program, as `pulumi up` would; again, to add what is new."""
        started = time.monotonic()
        arn = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/{RESPONDER}"
        with connected():
            program = self._engine.up(PROGRAM, {"responders": [arn], **(config or {})})
        resources = sum(1 for r in program.registrations if r.custom)
        return Prepared(program.exports, resources, time.monotonic() - started)


@contextmanager
def account(port: int = 0, regions: Sequence[str] = ()) -> Iterator[Account]:
    """An account with one user, the responder, until the block ends.

    Port 0 takes a free one. `regions` are those that are enabled; none given: the 17 that every
    account has.
    """
    reset()
    if regions:
        region_list.enable(DEFAULT_ACCOUNT_ID, regions)
    with serve(port) as server:
        env = _responder()
        yield Account(server, {**server.env, **env})
    reset()


def _responder() -> dict[str, str]:
    with connected():
        iam = clients(credentials_env())("iam", HOME_REGION)
        iam.create_user(UserName=RESPONDER)
        key = iam.create_access_key(UserName=RESPONDER)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
