"""The rate that AWS allows, kept by whoever asks."""

from __future__ import annotations

import threading

from responders.hunt.pace import Pace


class Clock:
    """A clock that stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_no_second_holds_more_than_the_rate() -> None:
    clock = Clock()
    pace = Pace(2.0, clock=clock)
    turns = [clock.now + pace.turn() for _ in range(20)]
    for at in turns:
        assert sum(1 for t in turns if at <= t < at + 1) <= 2
    assert turns[-1] == 109.5


def test_what_was_not_used_is_not_saved_up() -> None:
    clock = Clock()
    pace = Pace(2.0, clock=clock)
    pace.turn()
    clock.now += 60
    assert [pace.turn() for _ in range(3)] == [0.0, 0.5, 1.0]


def test_holding_moves_the_next_turn() -> None:
    clock = Clock()
    pace = Pace(2.0, clock=clock)
    pace.hold(5)
    assert pace.turn() == 5
    pace.hold(1)
    assert pace.turn() == 5.5


def test_stopping_ends_the_wait() -> None:
    pace = Pace(0.001)
    stop = threading.Event()
    assert pace.wait(stop)
    stop.set()
    assert not pace.wait(stop)
