"""The recording of the real program, which the gate judges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import record
from policies.bridge.plan import plan
from policies.bridge.program import BLIND, Stack, read_recording
from policies.gate.__main__ import ROOT


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording, made by the command."""
    made = tmp_path_factory.mktemp("recording") / "build" / "registrations.json"
    assert record.main([str(made)]) == 0
    return made


@pytest.fixture(scope="module")
def stacks(file: Path) -> dict[str, Stack]:
    """What the bridge reads in it."""
    return {stack.name: stack for stack in read_recording(file)}


def test_all_three_stacks_are_recorded_and_can_be_planned(stacks: dict[str, Stack]) -> None:
    assert list(stacks) == ["account", "forensics", "organization"]
    for stack in stacks.values():
        custom = [one for one in stack.resources if one.custom]
        assert len(plan(stack).declared) == len(custom) > 0
    kinds = {name: {one.type for one in stack.resources} for name, stack in stacks.items()}
    assert "aws:ec2/securityGroup:SecurityGroup" in kinds["account"]
    assert "aws:ec2/vpc:Vpc" in kinds["forensics"]
    assert "aws:organizations/policy:Policy" in kinds["organization"]


def test_every_resource_has_the_line_that_declares_it(stacks: dict[str, Stack]) -> None:
    for stack in stacks.values():
        for address, resource in plan(stack).declared.items():
            assert resource.source, address
            lines = (ROOT / resource.source.file).read_text().splitlines()
            assert 0 < resource.source.line <= len(lines)


def test_no_secret_is_recorded_and_a_document_with_one_still_can_be_judged(
    file: Path, stacks: dict[str, Stack]
) -> None:
    secret = record.DEPLOYMENTS["forensics"]["externalId"]
    assert secret not in file.read_text()
    roles = [r for r in stacks["forensics"].resources if r.name == "responder-role"]
    [trust] = [json.loads(one.inputs["assumeRolePolicy"]) for one in roles]
    [statement] = trust["Statement"]
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == BLIND


def test_a_command_without_a_file_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main([]) == 2
    assert "usage: python -m lab.record FILE" in capsys.readouterr().err
