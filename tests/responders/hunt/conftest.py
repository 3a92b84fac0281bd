"""A chase over records in memory, and a user whose key is in the wrong hands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from responders.aws import Aws
from responders.hunt import lookup
from responders.hunt.chase import Chase, Progress
from responders.hunt.evidence import Chunks
from responders.hunt.follow import Account
from responders.hunt.index import Index, Row
from responders.hunt.subjects import Subject
from responders.hunt.table import Kind
from tests.conftest import AwsLab
from tests.responders.hunt.records import ACCOUNT, WINDOW, FakeSource, arn
from tests.responders.hunt.thief import Thief


@dataclass
class Chased:
    """A chase that ended."""

    chase: Chase
    index: Index
    source: FakeSource
    told: list[Progress]
    saved: dict[str, bytes]
    chunks: Chunks

    @property
    def rows(self) -> list[Row]:
        """Every event."""
        return list(self.index.rows())

    def names(self, kind: Kind | None = None) -> list[str]:
        """Names of the events, in the order of time."""
        return [r.name for r in self.rows if kind is None or r.kind == kind]

    @property
    def followed(self) -> set[str]:
        """Labels of all leads but the first."""
        return {lead.label for lead in self.chase.leads[1:]}

    def origin(self, name: str) -> str:
        """Label of the lead to which the one event of this name belongs."""
        (row,) = [r for r in self.rows if r.name == name]
        return self.chase.leads[row.lead].label


Run = Callable[..., Chased]


@pytest.fixture
def chase(tmp_path: Path) -> Iterator[Run]:
    """Runs a chase: `chase(subject, {"us-east-1": [records]})`."""
    opened: list[Index] = []

    def run(
        subject: Subject, records: dict[str, list[dict[str, Any]]] | FakeSource, **more: Any
    ) -> Chased:
        source = records if isinstance(records, FakeSource) else FakeSource(records)
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        index = Index(folder)
        opened.append(index)
        told: list[Progress] = []
        saved: dict[str, bytes] = {}
        chunks = Chunks(saved.__setitem__, "hunt")
        made = Chase(
            index,
            more.pop("window", WINDOW),
            Account(ACCOUNT, "aws", lambda kind, name: arn(f"{kind}/{name}")),
            chunks=chunks,
            stop=more.pop("stop", threading.Event()),
            tell=told.append,
        )
        made.run(Aws(), subject, [source])
        index.attribute(made.leads)
        return Chased(made, index, source, told, saved, chunks)

    yield run
    for index in opened:
        index.close()


@pytest.fixture
def thief(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Thief:
    monkeypatch.setattr(lookup, "PER_SECOND", 10_000.0)
    monkeypatch.setattr(lookup, "SHORTEST_PAUSE", 0.01)
    iam = aws_lab.client("iam")
    iam.create_user(UserName="alice")
    access_key = iam.create_access_key(UserName="alice")["AccessKey"]
    return Thief(access_key["AccessKeyId"], access_key["SecretAccessKey"])
