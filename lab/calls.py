"""Keeps what was called: for tests that assert on calls, and on there being none."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import Response, read_response

KEPT = 200_000
"""Calls; a server that is left running forgets older ones."""


@dataclass(frozen=True)
class Seen:
    """One call that reached the account: each try of a retried call counts as one.

    `params` are without the bodies of uploads. `error` is the code that it was answered with,
    empty when it succeeded; `lost` when nothing was answered.
    """

    service: str
    operation: str
    region: str
    params: Mapping[str, Any]
    mutating: bool
    access_key: str
    user_agent: str
    error: str

    @property
    def action(self) -> str:
        """`service:Operation`, with boto3's name of the service."""
        return f"{self.service}:{self.operation}"


class Calls(Sequence[Seen]):
    """The calls seen since `clear`, in the order of their answers; the last `KEPT` of them."""

    def __init__(self) -> None:
        self._recorded: deque[Seen] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def __getitem__(self, index: Any) -> Any:
        return list(self._recorded)[index]

    def __len__(self) -> int:
        return len(self._recorded)

    def __iter__(self) -> Iterator[Seen]:
        return iter(list(self._recorded))

    def of(self, service: str, *operations: str) -> list[Seen]:
        """The calls of one service, of these operations if any are named."""
        return [
            call
            for call in self
            if call.service == service and (not operations or call.operation in operations)
        ]

    @property
    def mutating(self) -> list[Seen]:
        """The calls that may have changed something, also those that failed."""
        return [call for call in self if call.mutating]

    @property
    def actions(self) -> set[str]:
        """`service:Operation` of every call."""
        return {call.action for call in self}

    def clear(self) -> None:
        """Forgets all calls."""
        with self._lock:
            self._recorded.clear()

    def layer(self, call: Call, proceed: Proceed) -> Response:
        """The layer for the door."""
        error = "lost"
        try:
            response = proceed()
            error = "" if response.ok else str(read_response(call, response)["Error"]["Code"])
        finally:
            self._add(call, error)
        return response

    def _add(self, call: Call, error: str) -> None:
        recorded = Seen(
            call.service,
            call.operation,
            call.region,
            {k: v for k, v in call.params.items() if k != "Body"},
            call.mutating,
            call.access_key,
            call.user_agent,
            error,
        )
        with self._lock:
            self._recorded.append(recorded)
