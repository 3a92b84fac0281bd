"""`cordon trust`: what is kept is what was exported, and what differs from it is named."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from contract import MANIFEST_PARAMETER, Manifest
from responders.trust import pin
from tests.responders.conftest import REGION, Cordon, Scenario
from tests.responders.pinning import ACCOUNT, document_of

KEPT = ("trust", "check", "--json")


@pytest.fixture
def file(scenario: Scenario, tmp_path: Path) -> Path:
    """The exported document of an account that is not pinned yet."""
    pin.file_of(ACCOUNT).unlink(missing_ok=True)
    path = tmp_path / "trust.json"
    path.write_text(document_of(scenario.lab, REGION).to_json())
    return path


def test_what_was_exported_is_kept_and_shown(file: Path, cordon: Cordon) -> None:
    first = cordon("trust", "import", str(file), "--json")
    assert (first.code, first.document["outcome"]) == (0, "pinned")
    assert pin.file_of(ACCOUNT).stat().st_mode & 0o777 == 0o600
    again = cordon("trust", "import", str(file), "--json")
    assert (again.code, again.document["outcome"]) == (0, "already-pinned")
    told = cordon("trust", "show", "--account", ACCOUNT, "--json").document
    assert told["digest"] == first.document["digest"]
    assert told["document"] == json.loads(file.read_text())
    assert first.document["digest"] in cordon("trust", "show").out


def test_another_document_is_kept_only_when_that_is_meant(file: Path, cordon: Cordon) -> None:
    cordon("trust", "import", str(file))
    changed = json.loads(file.read_text())
    changed["regions"][REGION]["manifest"]["responder_cidrs"] = ["198.51.100.0/24"]
    file.write_text(json.dumps(changed))
    refused = cordon("trust", "import", str(file), "--json")
    assert refused.code == 2
    assert "another trust document is kept" in refused.document["error"]
    kept = pin.read(ACCOUNT)
    assert kept is not None
    assert kept.regions[REGION].manifest.responder_cidrs == ()
    assert cordon("trust", "import", str(file), "--replace").code == 0
    kept = pin.read(ACCOUNT)
    assert kept is not None
    assert kept.regions[REGION].manifest.responder_cidrs == ("198.51.100.0/24",)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', "[" * 99_999, "\x00", "{"])
def test_what_is_no_trust_document_is_not_kept(text: str, file: Path, cordon: Cordon) -> None:
    file.write_text(text)
    answer = cordon("trust", "import", str(file), "--json")
    assert answer.code == 2
    assert answer.document["advice"]
    assert pin.read(ACCOUNT) is None


def test_words_that_do_not_go_together_are_refused(file: Path, cordon: Cordon) -> None:
    assert cordon("trust", "import", "--json").code == 2
    assert cordon("trust", "import", str(file), "--from-stack-output", "--json").code == 2
    assert cordon("trust", "import", str(file), "--digest", "0" * 64, "--json").code == 2
    assert cordon("trust", "import", str(file.parent / "none.json"), "--json").code == 2
    assert cordon("trust", "show", "--account", "../../x", "--json").code == 2
    assert cordon(*KEPT).code == 2
    assert pin.read(ACCOUNT) is None


def pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int = 0) -> Path:
    """A program of that name that gives this answer and notes its words."""
    program = folder / "pulumi"
    (folder / "answer").write_text(answer)
    program.write_text(f'#!/bin/sh\necho "$@" > {folder}/words\ncat {folder}/answer\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "words"


def test_the_stack_s_output_is_kept(
    file: Path, tmp_path: Path, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = file.read_text()
    digest = document_digest(text)
    outputs = json.dumps({"trustDocument": text, "trustDigest": digest})
    words = pulumi(tmp_path, monkeypatch, outputs)
    answer = cordon("trust", "import", "--from-stack-output", "--stack", "prod", "--json")
    assert (answer.code, answer.document["digest"]) == (0, digest)
    assert words.read_text().split() == [
        *("stack", "output", "--json", "--non-interactive", "--stack", "prod")
    ]


@pytest.mark.parametrize("outputs", ["{}", "no json", '{"trustDocument": "x", "trustDigest": "y"}'])
def test_a_stack_without_a_whole_document_is_refused(
    outputs: str,
    file: Path,
    tmp_path: Path,
    cordon: Cordon,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pulumi(tmp_path, monkeypatch, outputs)
    assert cordon("trust", "import", "--from-stack-output", "--json").code == 2
    pulumi(tmp_path, monkeypatch, outputs, code=255)
    assert cordon("trust", "import", "--from-stack-output", "--json").code == 2
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    refused = cordon("trust", "import", "--from-stack-output", "--json")
    assert refused.code == 2
    assert "no `pulumi`" in refused.document["error"]
    assert pin.read(ACCOUNT) is None


def test_an_account_as_pinned_is_said_to_be(file: Path, cordon: Cordon) -> None:
    cordon("trust", "import", str(file))
    answer = cordon(*KEPT)
    assert (answer.code, answer.document["outcome"]) == (0, "as-pinned")
    assert answer.document["differences"] == []


def test_whatever_differs_is_named(scenario: Scenario, file: Path, cordon: Cordon) -> None:
    cordon("trust", "import", str(file))
    ssm, ec2, s3 = (scenario.client(name) for name in ("ssm", "ec2", "s3"))
    text = ssm.get_parameter(Name=MANIFEST_PARAMETER)["Parameter"]["Value"]
    changed = replace(Manifest.from_json(text), responder_cidrs=("0.0.0.0/0",))
    ssm.put_parameter(Name=MANIFEST_PARAMETER, Value=changed.to_json(), Overwrite=True)
    ec2.authorize_security_group_ingress(
        GroupId=scenario.isolate,
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )
    ec2.delete_security_group(GroupId=scenario.untrack)
    bucket = changed.vault_bucket
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    answer = cordon(*KEPT)
    assert (answer.code, answer.document["outcome"]) == (1, "differs")
    lines = " | ".join(d["detail"] for d in answer.document["differences"])
    for part in (
        "responder_cidrs",
        scenario.isolate,
        scenario.untrack,
        "not encrypted under a key",
    ):
        assert part in lines
    assert {d["status"] for d in answer.document["differences"]} == {"differs"}


@pytest.mark.parametrize("harm", ["link", "writable", "garbage", "other"])
def test_a_document_that_others_may_have_written_is_not_believed(
    harm: str, scenario: Scenario, file: Path, cordon: Cordon
) -> None:
    cordon("trust", "import", str(file))
    kept = pin.file_of(ACCOUNT)
    match harm:
        case "link":
            kept.unlink()
            kept.symlink_to(file)
        case "writable":
            kept.chmod(0o666)
        case "garbage":
            kept.write_text("{")
        case "other":
            kept.write_text(kept.read_text().replace(ACCOUNT, "444455556666"))
    answer = cordon(*KEPT)
    assert answer.code == 2
    assert "--replace" in answer.document["advice"]
    assert cordon("trust", "import", str(file), "--replace").code == 0
    assert not kept.is_symlink()
    assert cordon(*KEPT).code == 0


def document_digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
