"""What the documents of a region declare, and that no parameter lets a command through."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest

import contract
from components.documents import RECIPES, SCRIPTS, SIZE_LIMIT, Parameter, content, sha256
from contract import Document, Purpose
from lab.program import Program
from tests.preparation import declare

PROGRAM = """
import pulumi
from components.documents import Documents, DocumentsArgs
for region in ("us-east-1", "eu-west-1"):
    made = Documents(f"documents-{region}", DocumentsArgs(region, {"Team": "security"}))
    pulumi.export(region, made.pins)
"""
TOKEN = "aws:ssm/document:Document"
HOSTILE = (
    "'",
    '"',
    "$(id)",
    "`id`",
    ";id",
    "|id",
    "&id",
    "\nid",  # a line break at the very end passes some engines' `$`; in quotes it does nothing
    "{{ Mode }}",
    "\\",
    " ",
    "$PATH",
)
LEADING = ("-rf", "../../x")
"""Would be an option, or climb out, where the text begins."""
GOOD = {
    "Bucket": "example-vault",
    "Region": "us-gov-west-1",
    "Key": "cases/IR-7/20260701T120000Z-1a2b/evidence/memory/i-0abc.lime",
    "Tools": f"avml-x86_64={'0' * 64},lime-5.10.0-31-cloud-amd64.ko={'a' * 64}",
    "Endpoints": "10.0.0.7,10.0.1.0/24,fd00::7",
    "Resolvers": "10.0.0.2,fd00:ec2::253",
    "Probe": "ssm.eu-west-1.amazonaws.com",
    "Volume": "vol-0123456789abcdef0",
    "Device": "/dev/sdf",
    "TimeoutSeconds": "600",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return declare(tmp_path_factory.mktemp("program"), PROGRAM)


def made(document: Document) -> dict[str, Any]:
    return json.loads(content(document))


PARAMETERS = [
    pytest.param(document, name, rule, id=f"{document}-{name}")
    for document in Document
    for name, rule in made(document)["parameters"].items()
]


def test_every_document_is_in_every_region(program: Program) -> None:
    found = {(r.inputs["region"], r.inputs["name"]) for r in program.of_type(TOKEN)}
    assert found == {(r, d.value) for r in ("us-east-1", "eu-west-1") for d in Document}


def test_documents_are_commands_for_instances_with_the_kits_tags(program: Program) -> None:
    for each in program.of_type(TOKEN):
        assert each.inputs["documentType"] == "Command"
        assert each.inputs["documentFormat"] == "JSON"
        assert each.inputs["targetType"] == "/AWS::EC2::Instance"
        assert each.inputs["tags"] == contract.kit_tags(Purpose.DOCUMENT, {"Team": "security"})
        assert each.parent.endswith(f"::documents-{each.inputs['region']}")
        assert each.name == f"documents-{each.inputs['region']}-{each.inputs['name']}"
        assert "permissions" not in each.inputs


def test_pins_are_the_hash_of_the_exact_content(program: Program) -> None:
    for each in program.of_type(TOKEN):
        pin = program.exports[each.inputs["region"]][each.inputs["name"]]
        digest = hashlib.sha256(each.inputs["content"].encode()).hexdigest()
        assert pin == {"name": each.inputs["name"], "sha256": digest}
        assert sha256(Document(each.inputs["name"])) == digest


@pytest.mark.parametrize("document", Document)
def test_a_document_carries_its_files_whole(document: Document) -> None:
    text = made(document)
    assert text["schemaVersion"] == "2.2"
    linux = text["mainSteps"][0]
    assert linux["action"] == "aws:runShellScript"
    assert linux["precondition"] == {"StringEquals": ["platformType", "Linux"]}
    lines = "\n".join(linux["inputs"]["runCommand"])
    assert lines.startswith("#!/bin/bash\n")
    for name in RECIPES[document].linux:
        assert (SCRIPTS / name).read_text().rstrip("\n") in lines
    assert len(content(document).encode()) < SIZE_LIMIT


def test_only_memory_has_a_windows_step_and_it_is_named_apart() -> None:
    steps = {d: [s["name"] for s in made(d)["mainSteps"]] for d in Document}
    assert steps.pop(Document.MEMORY) == ["linux", "windows"]
    assert set(map(tuple, steps.values())) == {("linux",)}
    windows = made(Document.MEMORY)["mainSteps"][1]
    assert windows["action"] == "aws:runPowerShellScript"
    assert windows["precondition"] == {"StringEquals": ["platformType", "Windows"]}


def test_the_windows_step_checks_the_digest_before_it_runs_the_tool() -> None:
    lines = "\n".join(made(Document.MEMORY)["mainSteps"][1]["inputs"]["runCommand"])
    assert lines.index("Get-FileHash") < lines.index("Start-Bytes $tool")
    for downloader in ("Invoke-WebRequest", "Invoke-RestMethod", "WebClient", "http", "Add-Type"):
        assert downloader not in lines


@pytest.mark.parametrize("document", Document)
def test_braces_name_declared_parameters_only(document: Document) -> None:
    text = made(document)
    used = set(re.findall(r"\{\{(.*?)\}\}", json.dumps(text["mainSteps"])))
    assert used == {f" {name} " for name in text["parameters"]}
    for step in text["mainSteps"]:
        quoted = [line for line in step["inputs"]["runCommand"] if "{{" in line]
        assert all(re.fullmatch(r"(export CORDON_[A-Z_]+|\$[A-Za-z]+ )=.*'", q) for q in quoted)


@pytest.mark.parametrize(("document", "name", "rule"), PARAMETERS)
def test_no_parameter_admits_a_command(document: Document, name: str, rule: dict[str, str]) -> None:
    pattern = rule["allowedPattern"]
    assert pattern.startswith("^")
    assert pattern.endswith("$")
    choices = re.fullmatch(r"\^\(\?:([a-z|]+)\)\$", pattern)
    good = choices[1].split("|") if choices else [GOOD[name]]
    for text in good:
        assert re.search(pattern, text)
        for bad in HOSTILE:
            assert not re.search(pattern, text + bad), (text, bad)
        for bad in HOSTILE + LEADING:
            assert not re.search(pattern, bad + text), (bad, text)
            assert not re.search(pattern, bad), bad
    assert "default" not in rule or re.search(pattern, rule["default"])


def test_parameters_that_say_where_and_what_have_no_default() -> None:
    required = {
        d: sorted(n for n, rule in made(d)["parameters"].items() if "default" not in rule)
        for d in Document
    }
    assert required == {
        Document.MEMORY: ["Bucket", "Key", "Region", "Tools"],
        Document.HOST_FIREWALL: ["Mode"],
        Document.VOLATILE: ["Bucket", "Region"],
        Document.MOUNT: ["Volume"],
    }


def test_a_variable_is_named_after_its_parameter() -> None:
    assert Parameter("VolumeId", ".", "").variable == "CORDON_VOLUME_ID"
