"""Where the Parquet parts of a trail are kept, and which are there from an earlier hunt."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol


class PartStore(Protocol):
    """Keeps parts for as long as they may be asked."""

    def earlier(self) -> Iterable[Path]:
        """Parts that an earlier hunt left, each proven to be unchanged since."""

    def keep(self, name: str, path: Path) -> Path:
        """Takes over the part at `path` as `name`; gives the path where it is from now on."""


class TemporaryParts:
    """Parts that are gone with the hunt, in a folder that the hunt removes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def earlier(self) -> Iterable[Path]:
        """None: an earlier hunt left nothing."""
        return ()

    def keep(self, name: str, path: Path) -> Path:
        """Moves the part into the folder."""
        kept = self._folder / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(path, kept))


class CaseParts:
    """Parts in the folder of a case: evidence like any other, hashed in its journal.

    `listed` gives the path and the journaled SHA-256 (hex) of each part that the case holds, `save`
    keeps bytes as evidence under a name, and `path_of` is where it then lies.
    """

    def __init__(
        self,
        listed: Iterable[tuple[Path, str]],
        save: Callable[[str, bytes], None],
        path_of: Callable[[str], Path],
    ) -> None:
        self._listed, self._save, self._path_of = listed, save, path_of

    def earlier(self) -> Iterable[Path]:
        """The parts whose bytes are still what the journal says; others are read again."""
        for path, sha256 in self._listed:
            if path.is_file() and _sha256(path) == sha256:
                yield path

    def keep(self, name: str, path: Path) -> Path:
        """Saves the part as evidence and removes the file it came from."""
        self._save(name, path.read_bytes())
        path.unlink()
        return self._path_of(name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
