"""How a command ends: its exit code is that of what it did, whoever reads, waits or interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.calls import Calls
from lab.faults import Faults
from lab.mended import FAULTS
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, Cordon, Scenario, build

CORDON = [sys.executable, "-c", "from responders.cli import main; main()"]
QUICK = ("--case", "IR-7", "--region", REGION, "--no-snapshot", "--dwell", "0")


def test_a_reader_that_goes_and_a_terminal_without_utf8_change_no_exit_code(
    lab_server: AwsLab,
) -> None:
    words = ["instance", build(lab_server).instance, *QUICK]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([*CORDON, *words], stdout=writer, stderr=subprocess.PIPE, env=env)
    os.close(writer)
    assert ended.returncode == 0, ended.stderr.decode()
    again = subprocess.run([*CORDON, *words], capture_output=True, env=env, check=False)
    assert again.returncode == 0, again.stderr.decode()
    assert again.stdout.startswith(b"ALREADY CONTAINED: i-"), "which is no time of containment"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_look_up_that_hangs_is_named_and_holds_up_no_interrupt(
    lab_server: AwsLab, number: signal.Signals
) -> None:
    FAULTS.hang("sts", "*", seconds=60)
    FAULTS.hang("iam", "*", seconds=60)
    with subprocess.Popen(
        [*CORDON, "user", "alice", "--case", "IR-7", "--region", REGION], stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert b"waiting for " in process.stderr.readline()
        process.send_signal(number)
        begun = time.monotonic()
        assert process.wait(30) == 130
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (("user", "alice", "--case", "IR-8"), "is taken by its name"),
        (("hunt", "--since", "2026-01-01"), "The hunt was not begun"),
        (("ready",), "not ready"),
    ],
)
def test_a_failure_says_what_it_means_for_the_command(
    scenario: Scenario, cordon: Cordon, faults: Faults, words: tuple[str, ...], meaning: str
) -> None:
    faults.fail("*", "*", "InternalError", status=500)
    answer = cordon(*words)
    assert answer.code not in (0, 4), answer.err
    assert meaning in answer.out + answer.err
    if words[0] not in ("user",):
        assert "contained" not in answer.err


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "RequestExpired"])
def test_credentials_that_do_not_work_are_bad_input(
    scenario: Scenario, cordon: Cordon, faults: Faults, code: str
) -> None:
    faults.fail("*", "*", code)
    for words in (
        ("instance", scenario.instance, *QUICK),
        ("user", "alice", "--case", "IR-8", "--region", REGION),
        ("ready",),
    ):
        answer = cordon(*words)
        assert answer.code == 2, answer.err
        assert "AWS does not take these credentials" in answer.err


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("credential_process = /no/such/program", "/no/such/program"),
        ("credential_process = echo no-json", "no usable AWS credentials"),
        ("web_identity_token_file = /no/token\nrole_arn = arn:aws:iam::1:role/x", "/no/token"),
        (
            "sso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n"
            "sso_account_id = 111122223333\nsso_role_name = R",
            "aws sso login --profile p",
        ),
    ],
)
def test_no_session_is_bad_input_with_advice(
    aws_lab: AwsLab, cordon: Cordon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    config: str, told: str,
) -> None:  # fmt: skip
    path = tmp_path / "aws-config"
    path.write_text(f"[profile p]\n{config}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    answer = cordon("user", "alice", "--case", "IR-7", "--region", REGION, "--profile", "p")
    assert answer.code == 2, answer.err
    assert told in answer.err


def test_a_missing_ca_bundle_and_a_name_that_is_no_region_are_bad_input(
    aws_lab: AwsLab, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = cordon("user", "alice", "--case", "IR-7", "--region", "eu west")
    assert (answer.code, "is not the name of a region" in answer.err) == (2, True)
    monkeypatch.setenv("AWS_CA_BUNDLE", "/no/ca.pem")
    answer = cordon("user", "alice", "--case", "IR-7", "--region", REGION)
    assert (answer.code, "the CA bundle /no/ca.pem" in answer.err) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("instance", "i-0123456789abcdef0", "--case", "IR-7"),
        ("workstation", "open", "--case", "IR-7"),
        ("tools", "list"),
        ("vpc", "release", "vpc-0123456789abcdef0"),
        ("case", "sync", "--case", "IR-7"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_region_that_does_not_exist_is_bad_input(
    scenario: Scenario, cordon: Cordon, calls: Calls, words: tuple[str, ...]
) -> None:
    answer = cordon(*words, "--region", "eu-nowhere-9")
    assert answer.code == 2, answer.out
    assert "eu-nowhere-9" in answer.out + answer.err
    assert not calls.mutating
