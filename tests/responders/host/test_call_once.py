"""What must not be carried out twice is tried again only when AWS refused it as one too many."""

from __future__ import annotations

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.snapshot import TakeSnapshots
from responders.host.call_once import ATTEMPTS, once
from tests.responders.conftest import Scenario
from tests.responders.life import Life


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(TakeSnapshots(), scenario, calls, dict)


def ask(life: Life) -> object:
    return once(life.incident(), "ec2", lambda client: client.describe_key_pairs())


def test_a_lost_answer_is_not_asked_for_again(life: Life, faults: Faults, calls: Calls) -> None:
    faults.lose("ec2", "DescribeKeyPairs")
    with pytest.raises(Exception, match="Connection was closed"):
        ask(life)
    assert len(calls.of("ec2", "DescribeKeyPairs")) == 1


def test_an_error_is_not_asked_for_again(life: Life, faults: Faults, calls: Calls) -> None:
    faults.fail("ec2", "DescribeKeyPairs", "InternalError", status=500)
    with pytest.raises(Exception, match="InternalError"):
        ask(life)
    assert len(calls.of("ec2", "DescribeKeyPairs")) == 1


def test_throttled_is_tried_again(life: Life, faults: Faults, calls: Calls) -> None:
    faults.throttle("ec2", "DescribeKeyPairs", times=2)
    assert ask(life)
    assert len(calls.of("ec2", "DescribeKeyPairs")) == 3


def test_throttled_for_ever_is_an_error(life: Life, faults: Faults, calls: Calls) -> None:
    faults.throttle("ec2", "DescribeKeyPairs")
    with pytest.raises(Exception, match="RequestLimitExceeded"):
        ask(life)
    assert len(calls.of("ec2", "DescribeKeyPairs")) == ATTEMPTS
