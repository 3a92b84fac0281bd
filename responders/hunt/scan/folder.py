"""A trail's objects in a folder on this machine, such as a copy of the bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from responders.errors import BadInput
from responders.hunt.source import Stored

_DAY = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/[^/]*$")


class TrailFolder:
    """The objects below a folder; those in no folder of a day count for every day."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadInput(
                f"{folder} is not a folder",
                "Give the address of a trail, s3://BUCKET, or a folder with a copy of its objects.",
            )
        self.name = f"trail {folder}"
        self._folder = folder

    def listed(self, first: date, last: date) -> Iterator[Stored]:
        """The objects of these days, in the order of their paths."""
        for path in sorted(self._folder.rglob("*")):
            if path.name.endswith((".json.gz", ".json")) and path.is_file():
                key = path.relative_to(self._folder).as_posix()
                day = _day(key)
                if day is None or first <= day <= last:
                    status = path.stat()
                    yield Stored(key, f"{status.st_mtime_ns}-{status.st_size}", status.st_size)

    def fetch(self, key: str) -> bytes:
        """The bytes of an object; OSError when it can't be read."""
        return (self._folder / key).read_bytes()


def _day(key: str) -> date | None:
    """The day that an object's folders name; None when they name none."""
    if match := _DAY.search(f"/{key}"):
        try:
            return date(*map(int, match.groups()))
        except ValueError:
            return None
    return None
