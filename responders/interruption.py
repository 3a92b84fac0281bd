"""What an interrupt waits for: a step that has begun to act, and nothing else.

A step that only looks may hang for as long as AWS does not answer. It is abandoned then, and must
never begin to act afterwards, behind the back of whoever was told that the run has ended: to stop
and to begin to act take the same lock.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType

from responders.action import Evidence
from responders.errors import Skip

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What interrupts, where Python handles it: `nohup` stays in force."""
LOOK = 0.2
"""Seconds between two looks whether the run is to stop."""
GRACE = 1.0
"""Seconds that a step has to end by itself after an interrupt; users wait 2 s at most."""


class Interruption:
    """Whether a run is to stop, and which of its steps are half done then."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        # A signal's handler may run in the thread that holds it.
        self._lock = threading.RLock()
        self._saving = threading.Lock()
        """Apart from the other one: nothing that contains waits for a disk."""
        self._half_done: set[str] = set()
        self._abandoned: set[str] = set()
        self.began: set[str] = set()
        """Names of the steps that began to change something."""

    def may_act(self, step: str, *, even_now: bool, reads_only: bool = False) -> bool:
        """Whether a step may begin to act; `even_now`: also after an interrupt, to close again.

        One that `reads_only` is never half done, and can be abandoned at any time.
        """
        with self._lock:
            if step in self._abandoned or (self._stopping.is_set() and not even_now):
                return False
            if not reads_only:
                self._half_done.add(step)
            self.began.add(step)
            return True

    def may_record(self, step: str) -> bool:
        """Whether a step may still write down how it ended: a run that has ended has no more."""
        with self._lock:
            if step in self._abandoned:
                return False
            self._half_done.add(step)
            return True

    def save(self, step: str, work: Callable[[], None]) -> None:
        """Saves a step's evidence; Skip once the step was abandoned."""
        with self._saving:
            if self._gone(step):
                raise Skip("interrupted before all was saved", incomplete=True)
            work()

    def ended(self, step: str) -> None:
        """The step has acted and is written down."""
        with self._lock:
            self._half_done.discard(step)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Inside, a signal that interrupts asks the run to stop, and raises nothing.

        An exception could come between any two lines, and leave a step half done.
        """
        signals = [s for s in SIGNALS if callable(signal.getsignal(s)) and _in_main_thread()]
        before = {number: signal.signal(number, self._stop) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        with self._lock:
            self._stopping.set()

    def run(
        self,
        works: Mapping[str, Callable[[], None]],
        must_end: Callable[[str], bool] = lambda _step: False,
    ) -> None:
        """Does the steps' work at once, and gives up on what only looks when it is to stop.

        `must_end` says which steps are waited for although they have not begun, because they close
        what another one opened. Raises what a work raised.
        """
        futures = {step: _start(step, work) for step, work in works.items()}
        while pending := [f for s, f in futures.items() if not f.done() and not self._gone(s)]:
            stopped = self._stopping.is_set()
            wait(pending, GRACE if stopped else LOOK)
            if stopped:
                self._abandon(s for s, f in futures.items() if not f.done() and not must_end(s))
        for future in futures.values():
            if future.done():
                future.result()

    def _gone(self, step: str) -> bool:
        with self._lock:
            return step in self._abandoned

    def _abandon(self, steps: Iterable[str]) -> None:
        with self._saving, self._lock:
            self._abandoned |= set(steps) - self._half_done


class GuardedEvidence:
    """A step's way to the evidence, closed once the step was abandoned."""

    def __init__(self, evidence: Evidence, interruption: Interruption, step: str) -> None:
        self._evidence, self._interruption, self._step = evidence, interruption, step

    def save(self, name: str, data: bytes) -> None:
        """Keeps `data` as `name`."""
        self._interruption.save(self._step, lambda: self._evidence.save(name, data))

    def refer(self, key: str, size: int, sha256: str) -> None:
        """Lists an object that the target wrote into the vault itself."""
        self._interruption.save(self._step, lambda: self._evidence.refer(key, size, sha256))

    def names(self) -> frozenset[str]:
        """What the case has already."""
        return self._evidence.names()


def _in_main_thread() -> bool:
    """Only there can the handler of a signal be set."""
    return threading.current_thread() is threading.main_thread()


def _start(step: str, work: Callable[[], None]) -> Future[None]:
    """In a thread that keeps the process from nothing: one that hangs must not keep it alive."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
            future.set_result(None)
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name=f"step {step}").start()
    return future
