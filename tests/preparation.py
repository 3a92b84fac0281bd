"""Runs the real program in an imagined account, for tests of components and stacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import grpc
from pulumi.runtime.mocks import MockResourceArgs

from lab.plain import PlainMocks
from lab.policy import Asked, allowed_by, denied_by
from lab.program import Program, Registration, run_program

PROGRAM = Path(__file__).parents[1] / "__main__.py"
ACCOUNT = "111122223333"
OTHER = "444455556666"
ORGANIZATION = "o-exampleorg1"
EXTERNAL_ID = "example-external-id-0123456789"
PARTITIONS = {
    "aws": ("eu-west-1", "us-east-1"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}


@dataclass
class Counting(PlainMocks):
    """Notes the name of everything that the program registers."""

    created: list[str] = field(default_factory=list)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.created.append(args.name)
        return super().new_resource(args)


class InvokeFailure(grpc.RpcError):  # type: ignore[misc]
    """What the engine answers when a provider function fails, with the provider's text."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return str(self)


def user(name: str, account: str = ACCOUNT, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account}:user/{name}"


def prepare(
    config: Mapping[str, Any] | None = None,
    *,
    mocks: PlainMocks | None = None,
    preview: bool = False,
) -> Program:
    """The program with least settings (`alice` responds), over them `config`."""
    mocks = mocks or PlainMocks()
    least = {
        "aws:region": mocks.regions[0],
        "responders": [user("alice", partition=mocks.partition)],
    }
    return run_program(PROGRAM, {**least, **(config or {})}, mocks=mocks, preview=preview)


def declare(folder: Path, text: str) -> Program:
    """A small program of its own, given as text and written into `folder`."""
    program = folder / "__main__.py"
    program.write_text(text)
    return run_program(program, mocks=PlainMocks())


def imagined(partition: str) -> PlainMocks:
    """An account in one of `PARTITIONS`."""
    regions = PARTITIONS[partition]
    return PlainMocks(regions=regions, partition=partition, home=regions[0])


def many(regions: int, vpcs: int = 1) -> PlainMocks:
    """An account with some of the real regions, and so many VPCs in each."""
    names = boto3.Session().get_available_regions("ec2")[:regions]
    return PlainMocks(
        regions=names,
        home=names[0],
        vpcs={r: [f"vpc-{number:017x}" for number in range(vpcs)] for r in names},
    )


def policy(registration: Registration, key: str = "policy") -> list[dict[str, Any]]:
    """The statements of a registration's policy."""
    statements: list[dict[str, Any]] = json.loads(registration.inputs[key])["Statement"]
    return statements


def sid(statements: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The one statement with this `Sid`."""
    [found] = [s for s in statements if s.get("Sid") == name]
    return found


def decide(
    statements: list[dict[str, Any]], who: str, action: str, resource: str, **context: str
) -> str:
    """`deny`, `allow` or `nothing`: what these statements say of a request.

    `who` is an ARN or a service; in names of the context `__` stands for `:`.
    The caller's ARN and TLS are in it unless it says otherwise.
    """
    keys = {key.replace("__", ":"): value for key, value in context.items()}
    seen = {"aws:PrincipalArn": who, "aws:SecureTransport": "true", **keys}
    account = who.split(":")[4] if who.startswith("arn:") else ""
    asked = Asked(action, (resource,), (who, account), seen)
    if denied_by(statements, asked):
        return "deny"
    return "allow" if allowed_by(statements, asked) else "nothing"
