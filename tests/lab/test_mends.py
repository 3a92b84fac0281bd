"""Each mend is seen to be needed (plain moto does otherwise) and to work, in both modes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.mends import MENDS
from tests.conftest import AwsLab
from tests.lab.mend_cases import CASES, Account


@pytest.fixture(scope="session")
def failed() -> dict[str, list[str]]:
    """Cases that fail on plain moto, and those that fail without a mend, by the mend's name."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.lab.mend_cases"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    names: dict[str, list[str]] = json.loads(run.stdout)
    return names


@pytest.mark.parametrize("name", CASES)
def test_mended(aws_lab: AwsLab, name: str) -> None:
    CASES[name](Account())


@pytest.mark.parametrize("name", CASES)
def test_mended_in_the_server(lab_server: AwsLab, name: str) -> None:
    CASES[name](Account(lab_server.endpoint))


def test_plain_moto_fails_every_case(failed: dict[str, list[str]]) -> None:
    assert failed["plain"] == list(CASES)


def test_a_case_of_its_own_fails_without_each_mend(failed: dict[str, list[str]]) -> None:
    assert failed.keys() - {"plain"} == MENDS.keys()
    assert [mend for mend in MENDS if not failed[mend]] == []
