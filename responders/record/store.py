"""Where records are kept: objects by key, created once and never replaced, in a folder or a vault.

Both homes speak one protocol, so that a record can be begun in one and gone on with in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from responders.record.files import UNFINISHED, private_folder, read_bounded, write_durably

OBJECT_BYTES = 5 * 1024 * 1024 * 1024
"""Most bytes of an object that is read or written whole: the most that one PutObject takes (S3
user guide, "Uploading objects"). What is bigger is written by the target itself, and only listed.
"""


class AlreadyThere(Exception):
    """The key holds other bytes, which stay: somebody else wrote it first."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} is there already with other content, and is not replaced")
        self.key = key


class Store(Protocol):
    """One home of records."""

    def append(self, key: str, data: bytes) -> None:
        """Creates an object; no error when it holds these bytes already, `AlreadyThere` if others.

        Where the answer is lost, the object itself is asked whether it was written.
        """

    def keys(self, prefix: str) -> Mapping[str, int]:
        """Keys that begin so, with their sizes in bytes."""

    def get(self, key: str) -> bytes:
        """An object as it was first written."""


class FolderStore:
    """A folder of this machine; keys are paths below it. Methods raise OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, key: str, data: bytes) -> None:
        """Creates a file."""
        path = self.folder / key
        private_folder(path.parent)
        try:
            write_durably(path, data)
        except FileExistsError:
            if read_bounded(path, max(len(data), 1)) != data:
                raise AlreadyThere(key) from None

    def keys(self, prefix: str) -> Mapping[str, int]:
        """Plain files; links are not followed, and unfinished files don't count."""
        return {
            key: path.lstat().st_size
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.is_symlink() and not path.name.endswith(UNFINISHED)
            if (key := path.relative_to(self.folder).as_posix()).startswith(prefix)
        }

    def get(self, key: str) -> bytes:
        """A file's bytes."""
        return read_bounded(self.folder / key, OBJECT_BYTES)
