"""What the lab does with one type of resource: create, read, update and delete it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from uuid import uuid4

from botocore.exceptions import ClientError

T = TypeVar("T")
Clients = Callable[[str, str], Any]
"""A boto3 client of a service in a region."""
Attributes = dict[str, Any]
"""Properties of a resource, in wire form (camelCase)."""


@dataclass(frozen=True)
class New:
    """A resource to create: its inputs in wire form, and the way to the account.

    `logical` is its name in the program. `region` is its own, or the provider's.
    """

    logical: str
    inputs: Mapping[str, Any]
    region: str
    account: str
    clients: Clients

    def client(self, service: str) -> Any:
        """A client of the service in the resource's region."""
        return self.clients(service, self.region)

    @cached_property
    def name(self) -> str:
        """The name in AWS: the one declared, or one by the provider's rule, with a random end."""
        declared = self.inputs.get("name") or self.inputs.get("bucket")
        prefix = self.inputs.get("namePrefix") or f"{self.logical}-"
        return str(declared or f"{prefix}{uuid4().hex[:7]}")

    @property
    def tags(self) -> list[dict[str, str]]:
        """The tags as most services want them."""
        return [{"Key": k, "Value": v} for k, v in (self.inputs.get("tags") or {}).items()]

    def tag_specification(self, kind: str) -> dict[str, Any]:
        """The tags as EC2 wants them at creation; nothing when there are none."""
        if not self.tags:
            return {}
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": self.tags}]}

    def renamed(self, **names: str) -> dict[str, Any]:
        """The inputs that are set, under AWS's names: `renamed(description="Description")`."""
        return {
            aws: self.inputs[wire]
            for wire, aws in names.items()
            if self.inputs.get(wire) is not None
        }


@dataclass(frozen=True)
class Existing(New):
    """A resource that exists. `inputs` are those to be in force; `before` those that were."""

    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dropped_tags(self) -> list[str]:
        """Keys of the tags that the resource had and is to have no more."""
        return sorted({*(self.before.get("tags") or {})} - {*(self.inputs.get("tags") or {})})


Created = tuple[str, Attributes]
"""The resource's id, and the attributes that the provider computes."""
Create = Callable[[New], Created]
Read = Callable[[Existing], Attributes | None]
"""Attributes that differ from what was declared, or None when the resource is gone."""
Change = Callable[[Existing], object]


def nothing(existing: Existing) -> None:
    """A change that AWS need not be told of: the provider alone uses the input."""


@dataclass(frozen=True)
class Kind:
    """One type. `updates`: what to do when an input changes; any other input replaces it.

    `read` and `delete` may fail with one of the error codes `absent`: the resource is gone then.
    """

    create: Create
    read: Read
    delete: Change
    updates: Mapping[str, Change] = field(default_factory=dict)
    absent: Collection[str] = ()

    def look(self, existing: Existing) -> Attributes | None:
        """`read`, with a missing resource as None."""
        return self._unless_absent(lambda: self.read(existing), None)

    def remove(self, existing: Existing) -> None:
        """`delete`, which is content when the resource is gone already."""
        self._unless_absent(lambda: self.delete(existing), None)

    def _unless_absent(self, call: Callable[[], T], default: T) -> T:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] in self.absent:
                return default
            raise


def exists(call: Callable[[Existing], object]) -> Read:
    """A read that only looks whether the resource is there: `call` fails or answers nothing."""
    return lambda existing: {} if call(existing) else None
