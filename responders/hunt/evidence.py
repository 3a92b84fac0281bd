"""Raw events for the record: chunks of canonical JSON lines, gzipped, each saved as one file."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from io import BytesIO

from responders.hunt.event import Record
from responders.record.journal import canonical

CHUNK = 10_000
"""Events of one file."""
CHUNK_BYTES = 32 * 1024 * 1024
"""Bytes before compression after which a file is closed, whatever it holds."""

Save = Callable[[str, bytes], None]
"""Keeps bytes under a name; `EvidenceFolder.save` hashes them into the journal."""


class Chunks:
    """Takes records from any thread; holds one compressed chunk in memory."""

    def __init__(self, save: Save, prefix: str) -> None:
        self._save, self._prefix = save, prefix
        self._lock = threading.Lock()
        self._files = 0
        self._begin()

    def _begin(self) -> None:
        self._bytes = self._events = 0
        self._buffer = BytesIO()
        self._gzip = gzip.GzipFile(fileobj=self._buffer, mode="wb", mtime=0, compresslevel=6)

    def add(self, record: Record) -> None:
        """Adds one record; raises what `save` raises."""
        line = _line(record)
        with self._lock:
            self._gzip.write(line)
            self._events += 1
            self._bytes += len(line)
            if self._events >= CHUNK or self._bytes >= CHUNK_BYTES:
                self._flush()

    def close(self) -> int:
        """Saves what is left; gives the number of files."""
        with self._lock:
            if self._events:
                self._flush()
            return self._files

    def _flush(self) -> None:
        self._gzip.close()
        self._files += 1
        self._save(f"{self._prefix}/events-{self._files:05}.jsonl.gz", self._buffer.getvalue())
        self._begin()


def _line(record: Record) -> bytes:
    """Canonical JSON; of a record that UTF-8 or JSON proper can't hold, its ASCII form."""
    try:
        return canonical(record) + b"\n"
    except ValueError:
        return json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"
