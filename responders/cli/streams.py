"""Standard streams that outlive their reader, and take every character.

Whoever pipes a command into `head` or `true` closes the pipe early. That says nothing about what
the command did: its exit code must not change, nor may a terminal without UTF-8 end it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class _Unbroken:
    """A text stream that writes to nowhere once its reader has gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes what can be written; characters that the encoding lacks are escaped."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._give_up()
        except UnicodeEncodeError:
            encoding = self._stream.encoding or "ascii"
            return self.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        """Flushes, if anybody still reads."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._give_up()

    def _give_up(self) -> None:
        """What is in the buffer goes to nowhere too, or the interpreter fails as it exits."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def unbroken() -> Iterator[None]:
    """Puts such streams in the place of stdout and stderr; flushes them at the end."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Unbroken(before[0]), _Unbroken(before[1])
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
