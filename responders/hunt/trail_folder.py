"""A trail's objects in a folder on this machine, such as a copy of the bucket."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from responders.hunt.source import NoSuchTrail, Stored
from responders.hunt.trail import holds_no_events, obstacle

_DAY = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/[^/]*$")
_ACCOUNT = re.compile(r"/AWSLogs/(?:o-[^/]+/)?(\d{12})/")


class TrailFolder:
    """The account's objects below a folder; those in no folder of a day count for every day.

    An object in no folder of an account counts as the account's own.
    """

    def __init__(self, folder: Path, account: str) -> None:
        self.name = f"trail {folder.resolve()}"
        self._folder, self._account = folder, account

    def listed(self, first: date, last: date) -> Iterator[Stored]:
        """The objects of these days, in the order of their paths; NoSuchTrail when none is here."""
        is_empty = True
        for key in self._keys():
            if holds_no_events(key) or not self._is_own(key):
                continue
            is_empty, day = False, _day(key)
            if day is None or first <= day <= last:
                status = (self._folder / key).stat()
                version = f"{status.st_mtime_ns}-{status.st_size}"
                plain = key.encode(errors="backslashreplace").decode()
                odd = "" if plain == key else "its name is not UTF-8"
                yield Stored(plain, version, status.st_size, odd or obstacle(key))
        if is_empty:
            raise NoSuchTrail(f"no objects of account {self._account} in {self._folder}")

    def fetch(self, key: str) -> bytes:
        """The bytes of an object; OSError when it can't be read."""
        return (self._folder / key).read_bytes()

    def _keys(self) -> Iterator[str]:
        """Paths below the folder, one folder's at a time; OSError when one can't be listed."""
        for parent, folders, names in os.walk(self._folder, onerror=_refuse):
            folders.sort()
            for name in sorted(names):
                path = Path(parent, name)
                if path.is_file() and not name.startswith("."):
                    yield path.relative_to(self._folder).as_posix()

    def _is_own(self, key: str) -> bool:
        named = _ACCOUNT.search(f"/{key}")
        return named is None or named[1] == self._account


def _refuse(error: OSError) -> None:
    raise error


def _day(key: str) -> date | None:
    """The day that an object's folders name; None when they name none."""
    if match := _DAY.search(f"/{key}"):
        try:
            return date(*map(int, match.groups()))
        except ValueError:
            return None
    return None
