"""A look-up that only informs never stops containment, whatever becomes of it.

The whole product (every command, every look-up, every fault) is `make torture`; the suite has a
part of it, in which each look-up meets a fault and each fault a look-up.
"""

from __future__ import annotations

import os
import time

import pytest
from botocore.exceptions import ReadTimeoutError

from lab import mended
from lab.calls import Calls
from lab.faults import Faults
from responders import aws, connection
from tests.conftest import AwsLab
from tests.responders.conftest import Cordon
from tests.responders.lookups import (
    COMMANDS,
    FAULTS,
    SETTLED,
    Matrix,
    Trial,
    share_clients,
    shortened,
)

ALLOWED = 15.0
"""Seconds that a look-up may cost containment."""


@pytest.fixture
def matrix(
    aws_lab: AwsLab,
    cordon: Cordon,
    calls: Calls,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> Matrix:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    for name, limit in shortened().items():
        monkeypatch.setattr(connection, name, limit)
    monkeypatch.setattr(aws, "CALLER_WAIT", 0.5)
    share_clients(monkeypatch)
    return Matrix(aws_lab, cordon, calls, faults)


def complaints(trial: Trial, fault: str, lookup: tuple[str, str]) -> list[str]:
    """What is wrong with how a run ended. What hung is over once it is contained: see `Matrix`."""
    said = trial.answer.out + trial.answer.err
    wrong = [] if trial.contained else [f"not contained: {said[-1500:]}"]
    if trial.answer.code not in (0, 1, 3):
        wrong.append(f"exit {trial.answer.code}: {said[-1500:]}")
    if fault == "hanging":
        if trial.waited > ALLOWED:
            wrong.append(f"it took {trial.waited:.1f} s longer")
        if trial.impatient:
            wrong.append(f"{trial.impatient} reads were waited for without a hurry")
    elif lookup not in SETTLED:
        if trial.answer.code == 0:
            wrong.append("exit 0, as if nothing had been missed")
        if lookup[1] not in said:
            wrong.append(f"{lookup[1]} is not named: {said[-1500:]}")
    return wrong


@pytest.mark.torture
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_fault_of_every_lookup(matrix: Matrix, command: str, fault: str) -> None:
    wrong = {}
    for lookup in matrix.run(command).lookups:
        if complaint := complaints(matrix.run(command, fault, *lookup), fault, lookup):
            wrong[":".join(lookup)] = complaint
    assert wrong == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_lookup_meets_a_fault(matrix: Matrix, command: str) -> None:
    """The part of the matrix that the suite has: the faults take turns, from command to command."""
    turn = list(COMMANDS).index(command)
    kinds = list(FAULTS)
    wrong = {}
    for number, lookup in enumerate(matrix.run(command).lookups):
        if number > 0 and command in SEARCHES and lookup[1] not in SEARCHING:
            continue  # the same from here on as for an instance in a region that is known
        fault = kinds[(turn + number) % len(kinds)]
        if complaint := complaints(matrix.run(command, fault, *lookup), fault, lookup):
            wrong[f"{fault} {':'.join(lookup)}"] = complaint
    assert wrong == {}


SEARCHES = ("instance-anywhere", "instance-by-address")
SEARCHING = ("DescribeInstances", "DescribeRegions")


def test_a_hurried_read_ends_in_time() -> None:
    """By the limits in earnest: hung twice, or refused until its time is over."""
    assert connection.longest_hurried_read() <= ALLOWED
    assert aws.CALLER_WAIT < ALLOWED


def test_limits_are_those_of_the_sockets(
    lab_server: AwsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a real connection: a read in a hurry gives up early, and the next one is not sent."""
    connection.forget_silence()
    monkeypatch.setattr(connection, "HURRIED_READ_TIMEOUT", 0.2)
    monkeypatch.setattr(connection, "HURRIED_RETRIES", 0.1)
    mended.FAULTS.hang("ec2", "DescribeVpcs", seconds=20)
    client = aws.Aws(aws.Access(region="eu-west-1")).client("ec2")
    begun = time.monotonic()
    with connection.hurried(), pytest.raises(ReadTimeoutError):
        client.describe_vpcs()
    with connection.hurried(), pytest.raises(connection.Silent, match="did not answer"):
        client.describe_vpcs()
    assert time.monotonic() - begun < 10
    connection.forget_silence()
    mended.FAULTS.clear()
    assert client.describe_vpcs()["Vpcs"]
