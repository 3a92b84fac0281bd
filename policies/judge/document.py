"""A policy document to judge: where it comes from, what kind it is, whose rights it adds to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contract import as_list, statements


class Kind(StrEnum):
    """What a document is attached to, which decides what may stand in it."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    TRUST = "trust"
    RESOURCE = "resource"
    ENDPOINT = "endpoint"
    SERVICE_CONTROL = "service-control"
    RESOURCE_CONTROL = "resource-control"


@dataclass(frozen=True)
class Document:
    """`holders` are the identities that have the document, each with all its others."""

    name: str
    kind: Kind
    text: str
    partition: str = "aws"
    holders: tuple[str, ...] = ()

    @property
    def statements(self) -> list[Statement]:
        """Its statements, numbered from 1 where they have no name."""
        return [
            Statement(entry, str(entry.get("Sid") or number))
            for number, entry in enumerate(statements(json.loads(self.text)), 1)
        ]


@dataclass(frozen=True)
class Statement:
    """One statement, with what IAM lets one write as a value or a list always as a list."""

    raw: Mapping[str, Any]
    name: str

    @property
    def allows(self) -> bool:
        """Whether it allows; if not, it denies."""
        return bool(self.raw["Effect"] == "Allow")

    @property
    def actions(self) -> Sequence[str]:
        """Its action patterns; none for a `NotAction`."""
        return [str(action) for action in as_list(self.raw.get("Action"))]

    @property
    def resources(self) -> Sequence[str]:
        """Its resource patterns; `*` where it names none, as trust policies do."""
        return [str(resource) for resource in as_list(self.raw.get("Resource"))] or ["*"]

    @property
    def conditions(self) -> Sequence[tuple[str, str, list[str]]]:
        """Operator, key and values of each condition."""
        return [
            (operator, key, [str(value) for value in as_list(values)])
            for operator, keys in self.raw.get("Condition", {}).items()
            for key, values in keys.items()
        ]
