"""Files of a record: written whole, created once, read within bounds, closed to other users."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".partial"
"""Ending of a file that is being written; what a run that died left of it proves nothing."""
DAMAGED = ".damaged"
"""Ending of the folder beside a run's that keeps what was set aside of it, as it was."""
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def private_folder(path: Path) -> None:
    """Makes a folder, and what lacks above it, closed to other users (OSError when it can't)."""
    for folder in reversed((path, *path.parents)):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def write_durably(path: Path, data: bytes) -> None:
    """Creates a file whole or not at all, and returns once it is on disk.

    FileExistsError when there is one of this name, which is never replaced; OSError when the disk
    is full or can't be written to.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        _write_new(partial, data)
        _name(partial, path, data)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _name(partial: Path, path: Path, data: bytes) -> None:
    # A rename would replace what is there; a link is refused. Some file systems have no links.
    try:
        os.link(partial, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _write_new(path, data)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Opens a plain file for reading; OSError for a link, a device, a pipe or a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        yield descriptor
    finally:
        os.close(descriptor)


def read_bounded(path: Path, most: int) -> bytes:
    """A plain file's bytes; OSError when it can't be read, or has more than `most` bytes."""
    with opened(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"more than {most} bytes", str(path))
    return data


def set_aside(path: Path, aside: Path) -> Path:
    """Moves a damaged file or folder to `aside`, or to that name with a number; gives where.

    Nothing of it is changed or lost: it may be evidence of what happened to the record.
    """
    private_folder(aside.parent)
    free, number = aside, 1
    while os.path.lexists(free):
        number += 1
        free = aside.with_name(f"{aside.name}-{number}")
    path.rename(free)
    return free


def openness(path: Path) -> str:
    """Why a folder can't be trusted to hold a record: a link, or open to others; else empty."""
    try:
        facts = path.lstat()
    except OSError as error:
        return f"can't be looked at: {error.strerror}"
    if stat.S_ISLNK(facts.st_mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(facts.st_mode):
        return "is not a folder"
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"can be written by other users (mode {stat.S_IMODE(facts.st_mode):04o})"
    return "" if os.access(path, os.R_OK | os.X_OK) else "can't be read"
