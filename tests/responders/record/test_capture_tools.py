"""`cordon tools`: only what a capture looks for, under its digest, into the vault."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from contract import MANIFEST_PARAMETER
from lab.calls import Calls
from lab.faults import Faults
from responders.record.capture_tools import Tool, choose
from tests.responders.conftest import REGION, Cordon, Scenario
from tests.responders.evidence import BUCKET, objects, stage_tool
from tests.responders.pinning import unpin

WHERE = ("--region", REGION, "--json")


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    path = tmp_path / "avml-x86_64"
    path.write_bytes(b"\x7fELF avml")
    return path


def test_staged_under_its_digest(
    scenario: Scenario, cordon: Cordon, tool: Path, calls: Calls
) -> None:
    digest = hashlib.sha256(tool.read_bytes()).hexdigest()
    answer = cordon("tools", "stage", str(tool), "--sha256", digest.upper(), *WHERE)
    assert (answer.code, answer.document["outcome"]) == (0, "staged")
    assert answer.document["sha256"] == digest
    key = f"tools/{digest}/avml-x86_64"
    assert objects(scenario, "tools/") == {key: 9}
    found = scenario.client("s3").get_object(Bucket=BUCKET, Key=key)
    assert found["Body"].read() == tool.read_bytes()

    calls.clear()
    again = cordon("tools", "stage", str(tool), *WHERE)
    assert again.document["outcome"] == "already-staged"
    assert calls.mutating == []

    listed = cordon("tools", "list", *WHERE).document["tools"]
    assert [(t["name"], t["sha256"]) for t in listed] == [("avml-x86_64", digest)]
    assert digest in cordon("tools", "list", "--region", REGION).out


def test_a_dry_run_stages_nothing(
    scenario: Scenario, cordon: Cordon, tool: Path, calls: Calls
) -> None:
    answer = cordon("tools", "stage", str(tool), "--dry-run", *WHERE)
    assert (answer.code, answer.document["outcome"]) == (0, "planned")
    assert calls.mutating == []
    assert objects(scenario, "tools/") == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--name", "netcat"), "no capture looks for"),
        (("--name", "lime-../../x.ko"), "no capture looks for"),
        (("--sha256", "0" * 64), "has SHA-256"),
    ],
)
def test_what_is_no_tool_is_refused(
    scenario: Scenario, cordon: Cordon, tool: Path, calls: Calls, words: tuple[str, str], told: str
) -> None:
    answer = cordon("tools", "stage", str(tool), *words, *WHERE)
    assert answer.code == 2
    assert told in answer.document["error"]
    assert calls.mutating == []


def test_files_that_can_t_be_read(scenario: Scenario, cordon: Cordon, tmp_path: Path) -> None:
    empty = tmp_path / "avml-arm64"
    empty.touch()
    assert "is empty" in cordon("tools", "stage", str(empty), *WHERE).document["error"]
    answer = cordon("tools", "stage", str(tmp_path / "winpmem.exe"), *WHERE)
    assert answer.code == 2
    assert "can't be read" in answer.document["error"]


def test_modules_are_staged_by_kernel(scenario: Scenario, cordon: Cordon, tmp_path: Path) -> None:
    module = tmp_path / "lime.ko"
    module.write_bytes(b"module")
    name = "lime-5.10.0-31-cloud-amd64.ko"
    assert cordon("tools", "stage", str(module), "--name", name, *WHERE).code == 0
    assert [key for key in objects(scenario, "tools/") if key.endswith(name)]


def test_without_a_vault(scenario: Scenario, cordon: Cordon, tool: Path) -> None:
    assert cordon("tools", "list", "--region", "us-east-1").code == 0  # the others agree on one
    scenario.client("ssm").delete_parameter(Name=MANIFEST_PARAMETER)
    unpin()
    answer = cordon("tools", "stage", str(tool), *WHERE)
    assert answer.code == 2
    assert "no vault is prepared" in answer.document["error"]


def test_denied_is_an_error(scenario: Scenario, cordon: Cordon, tool: Path, faults: Faults) -> None:
    faults.deny("s3", "PutObject")
    assert cordon("tools", "stage", str(tool), *WHERE).code == 1
    assert objects(scenario, "tools/") == {}


def test_the_newest_of_each_name_is_chosen(scenario: Scenario, cordon: Cordon) -> None:
    first = stage_tool(scenario, "avml-x86_64", b"1")
    listed = cordon("tools", "list", *WHERE).document["tools"]
    from datetime import datetime, timedelta

    old = datetime.fromisoformat(listed[0]["stored"])
    found = [
        Tool("avml-x86_64", "b" * 64, old + timedelta(days=1)),
        Tool("avml-x86_64", first, old),
        Tool("lime-6.1.ko", "c" * 64, old),
        Tool("avml-arm64", "d" * 64, old),
    ]
    assert [t.pair for t in choose(found, "Linux", "x86_64")] == [
        f"avml-x86_64={'b' * 64}",
        f"lime-6.1.ko={'c' * 64}",
    ]
    assert choose(found, "Windows", "x86_64") == []
