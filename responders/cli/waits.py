"""Says what a command waits for, before anybody thinks that it hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from responders import connection
from responders.cli import show

SILENCE = 2.0
"""Seconds that a call may take before it is named."""


@contextmanager
def telling_waits() -> Iterator[None]:
    """Names, on stderr and once each, the calls that take longer than `SILENCE`."""
    ended = threading.Event()
    threading.Thread(target=_tell, args=(ended,), daemon=True, name="waits").start()
    try:
        yield
    finally:
        ended.set()


def _tell(ended: threading.Event) -> None:
    named: set[str] = set()
    while not ended.wait(0.5):
        for call in connection.under_way():
            line = f"waiting for {call.action} in {call.region}"
            if time.monotonic() - call.begun >= SILENCE and line not in named:
                named.add(line)
                show.waiting(line)
