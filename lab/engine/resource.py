"""What a creator gets, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

Clients = Callable[[str, str], Any]
"""A boto3 client of a service in a region."""


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
        """The name in AWS: as given, or made by the provider's rule, with a random end."""
        given = self.inputs.get("name") or self.inputs.get("bucket")
        prefix = self.inputs.get("namePrefix") or f"{self.logical}-"
        return str(given or f"{prefix}{uuid4().hex[:7]}")

    @property
    def tags(self) -> list[dict[str, str]]:
        """The tags as most services want them."""
        return [{"Key": k, "Value": v} for k, v in (self.inputs.get("tags") or {}).items()]

    def tag_specification(self, kind: str) -> dict[str, Any]:
        """The tags as EC2 wants them at creation; nothing when there are none."""
        if not self.tags:
            return {}
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": self.tags}]}

    def some(self, **renamed: str) -> dict[str, Any]:
        """The inputs that are given, under AWS's names: `some(description="Description")`."""
        return {
            aws: self.inputs[wire]
            for wire, aws in renamed.items()
            if self.inputs.get(wire) is not None
        }


Created = tuple[str, dict[str, Any]]
"""The resource's id, and the attributes that the provider computes."""
Create = Callable[[New], Created]
