"""Each mend is seen to be needed (plain moto does otherwise) and to work, in both modes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import AwsLab
from tests.lab.mend_cases import CASES, Account


@pytest.fixture(scope="session")
def plain_moto() -> dict[str, str]:
    """How each case ends on moto without mends: in a process of its own, as mends are for ever."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.lab.mend_cases"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    ended: dict[str, str] = json.loads(run.stdout)
    return ended


@pytest.mark.parametrize("name", CASES)
def test_mended(aws_lab: AwsLab, name: str) -> None:
    CASES[name](Account())


@pytest.mark.parametrize("name", CASES)
def test_mended_in_the_server(lab_server: AwsLab, name: str) -> None:
    CASES[name](Account(lab_server.endpoint))


def test_plain_moto_does_otherwise(plain_moto: dict[str, str]) -> None:
    assert plain_moto.keys() == CASES.keys()
    assert [name for name, ended in plain_moto.items() if ended == "ok"] == []
