"""How `--trail` is read: fast where the `hunt` extra is installed, record by record elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from responders.aws import Aws, explain
from responders.errors import BadInput
from responders.hunt.plain_trail import PlainTrail
from responders.hunt.source import EventSource, TrailObjects
from responders.hunt.trail import Trail
from responders.hunt.trail_folder import TrailFolder
from responders.record.case import Case
from responders.record.opened_run import OpenedRun

EXTRA = ("cryptography", "duckdb", "msgspec", "pyarrow")
"""What the `hunt` extra installs."""
PARTS = "trail/part-"
"""How the evidence begins that holds a trail's events, decoded."""


def objects_at(aws: Aws, address: str) -> TrailObjects:
    """The objects at `s3://bucket[/prefix]` or in a folder; BadInput when it is neither."""
    if not address.startswith("s3://") and Path(address).is_dir():
        return TrailFolder(Path(address), aws.identity.account)
    return Trail.at(aws, address)


def has_extra() -> bool:
    """Whether the libraries are installed that read a trail fast; imports none of them."""
    return all(find_spec(name) for name in EXTRA)


def source_of(
    aws: Aws, objects: TrailObjects, record: OpenedRun | None, folder: Path, stop: threading.Event
) -> EventSource:
    """The source. With `record` the decoded events are evidence, and a later hunt's too.

    `folder` is for what is gone with the hunt.
    """
    if not has_extra():
        return PlainTrail(aws, objects)
    from responders.hunt.scan.parts import CaseParts, TemporaryParts
    from responders.hunt.scan.source import TrailScan

    kept = folder / "kept"
    if record is None:
        return TrailScan(objects, TemporaryParts(kept), folder, stop, explain)
    evidence = record.evidence
    parts = CaseParts(parts_of(record.case), evidence.save, lambda name: evidence.folder / name)
    return TrailScan(objects, parts, folder, stop, explain)


def parts_of(case: Case) -> Iterator[tuple[Path, str]]:
    """The parts that earlier hunts of a case left: where each lies, and its journaled SHA-256."""
    for run in case.runs():
        for entry in run.entries:
            if entry.kind == "evidence" and str(entry.body["name"]).startswith(PARTS):
                path = case.folder / run.name / "evidence" / str(entry.body["name"])
                yield path, str(entry.body["sha256"])


def check_extra(why: str) -> None:
    """BadInput, with the command to install it, where the `hunt` extra is missing."""
    if not has_extra():
        raise BadInput(
            f"{why} needs libraries that are not installed",
            "Install them: pip install 'aws-cordon[hunt]'.",
        )
