"""Keeps to a rate, whoever asks: one pace for each limit that AWS counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets one caller through every 1/`per_second` seconds; fair, and for any number of threads.

    Evenly spaced and not in bursts: no second ever holds more than the rate, however it is cut.
    """

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = 1 / per_second
        self._clock = clock
        self._next = 0.0
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Takes the next turn; gives the seconds until it comes."""
        with self._lock:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + self._every
            return at - now

    def wait(self, stop: threading.Event) -> bool:
        """Waits for the next turn; False when `stop` was set instead."""
        return not stop.wait(self.turn())

    def hold(self, seconds: float) -> None:
        """Lets nobody through for so long: AWS said that the rate was exceeded."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)
