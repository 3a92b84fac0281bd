"""How `--trail` is read: fast where the `hunt` extra is installed, record by record elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from responders.aws import Aws, explain
from responders.errors import BadInput
from responders.hunt.plain_trail import PlainTrail
from responders.hunt.source import EventSource, TrailObjects
from responders.hunt.trail import Trail
from responders.hunt.trail_folder import TrailFolder
from responders.record.case import Case
from responders.record.opened_run import OpenedRun

if TYPE_CHECKING:
    from responders.hunt.scan.parts import PartStore

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


def check_validation(objects: TrailObjects | None) -> None:
    """BadInput when the objects' origin can't be proven from where they are, or not here."""
    if not isinstance(objects, Trail):
        raise BadInput(
            "--validate needs the trail's bucket: the signatures are in its objects' metadata",
            "Give --trail s3://BUCKET; a copy in a folder has no signatures.",
        )
    if not has_extra():
        raise BadInput(
            "--validate needs libraries that are not installed",
            "Install them: pip install 'aws-cordon[hunt]'.",
        )


def source_of(
    aws: Aws,
    objects: TrailObjects,
    record: OpenedRun | None,
    folder: Path,
    stop: threading.Event,
    *,
    validate: bool = False,
) -> EventSource:
    """The source. With `record` the decoded events are evidence, and a later hunt's too.

    `folder` is for what is gone with the hunt. `validate`: see `check_validation`.
    """
    if not has_extra():
        return PlainTrail(aws, objects)
    # Imported only now: the libraries take some 0.2 s, and may not be installed.
    from responders.hunt.scan.source import TrailScan
    from responders.hunt.validated import Validated

    parts = _parts(record, folder / "kept")
    scan = TrailScan(objects, parts, folder, stop, explain, hashing=validate)
    return Validated(aws, scan, objects, stop) if validate and isinstance(objects, Trail) else scan


def _parts(record: OpenedRun | None, folder: Path) -> PartStore:
    from responders.hunt.scan.parts import CaseParts, TemporaryParts

    if record is None:
        return TemporaryParts(folder)
    evidence = record.evidence
    return CaseParts(parts_of(record.case), evidence.save, lambda name: evidence.folder / name)


def parts_of(case: Case) -> Iterator[tuple[Path, str]]:
    """The parts that earlier hunts of a case left: where each lies, and its journaled SHA-256."""
    for run in case.runs():
        for entry in run.entries:
            if entry.kind == "evidence" and str(entry.body["name"]).startswith(PARTS):
                path = case.folder / run.name / "evidence" / str(entry.body["name"])
                yield path, str(entry.body["sha256"])
