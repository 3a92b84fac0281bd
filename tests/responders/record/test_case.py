"""`cordon case`: what is on this machine and in the vault, and what was done to either."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab.faults import Faults
from responders.record.case import Case, open_run
from responders.record.vault import Mirror
from tests.responders.conftest import REGION, VAULT, Cordon, Scenario

FAST = ("--region", REGION, "--dwell", "0", "--json")
BUCKET = VAULT


@pytest.fixture
def contained(scenario: Scenario, cordon: Cordon) -> Path:
    """A case with one run; gives the case's folder."""
    answer = cordon("instance", scenario.instance, "--case", "IR-7", *FAST)
    assert answer.code == 0, answer.out
    return scenario.lab.home / "cases" / "IR-7"


def the_run(folder: Path) -> Path:
    (run,) = (p for p in folder.iterdir() if p.is_dir())
    return run


def test_the_vault_has_every_file(scenario: Scenario, contained: Path) -> None:
    listed = scenario.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="cases/")["Contents"]
    here = {
        f"cases/IR-7/{p.relative_to(contained).as_posix()}"
        for p in contained.rglob("*")
        if p.is_file() and p.name != "lock"
    }
    assert {o["Key"] for o in listed} == here
    assert any(key.endswith("console-output.txt") for key in here)


def test_files_are_closed_to_others(contained: Path) -> None:
    for path in contained.rglob("*"):
        if path.name != "lock":
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_sound_case_verifies(contained: Path, cordon: Cordon) -> None:
    answer = cordon("case", "verify", "--case", "IR-7", "--json")
    assert answer.code == 0
    assert answer.document["outcome"] == "verified"
    assert answer.document["vault"] == BUCKET


def test_a_changed_byte_here_is_found(contained: Path, cordon: Cordon) -> None:
    path = the_run(contained) / "journal" / "2.json"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))
    answer = cordon("case", "verify", "--case", "IR-7", "--local", "--json")
    assert answer.code == 1
    assert any("entry" in line for line in answer.document["faults"])


def test_a_cut_tail_is_found_by_the_vault(contained: Path, cordon: Cordon) -> None:
    journal = the_run(contained) / "journal"
    last = max(int(p.stem) for p in journal.iterdir())
    (journal / f"{last}.json").unlink()
    answer = cordon("case", "verify", "--case", "IR-7", "--json")
    assert answer.code == 1
    assert any(f"journal/{last}.json is in the vault" in line for line in answer.document["faults"])


def test_changed_evidence_is_found(contained: Path, cordon: Cordon) -> None:
    path = next(the_run(contained).rglob("console-output.txt"))
    path.write_text("nothing happened here")
    answer = cordon("case", "verify", "--case", "IR-7", "--local", "--json")
    assert answer.code == 1
    assert any("console-output.txt was changed" in line for line in answer.document["faults"])


def test_planted_evidence_is_found(contained: Path, cordon: Cordon) -> None:
    (the_run(contained) / "evidence" / "planted.txt").write_text("x")
    answer = cordon("case", "verify", "--case", "IR-7", "--local", "--json")
    assert any("planted.txt is in no journal" in line for line in answer.document["faults"])


def test_a_change_in_the_vault_is_found(
    scenario: Scenario, contained: Path, cordon: Cordon
) -> None:
    key = f"cases/IR-7/{the_run(contained).name}/journal/3.json"
    s3 = scenario.client("s3")
    raw = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=raw.replace(b"IR-7", b"IR-8"))
    answer = cordon("case", "verify", "--case", "IR-7", "--json")
    assert answer.code == 1
    assert any(line.startswith("vault: ") for line in answer.document["faults"])


def test_a_missing_run_is_found(scenario: Scenario, contained: Path, cordon: Cordon) -> None:
    first = the_run(contained)
    cordon("instance", scenario.instance, "--case", "IR-7", *FAST)
    shutil.rmtree(first)
    answer = cordon("case", "verify", "--case", "IR-7", "--local", "--json")
    assert answer.code == 1
    assert any("the run that it follows is missing" in line for line in answer.document["faults"])


def test_another_machine_fetches_the_case_and_releases(
    scenario: Scenario, contained: Path, cordon: Cordon
) -> None:
    shutil.rmtree(contained)
    assert cordon("release", scenario.instance, "--case", "IR-7").code == 0
    assert all(scenario.isolate not in groups for groups in scenario.groups().values())


def test_an_unreachable_vault_holds_up_nothing(
    scenario: Scenario, cordon: Cordon, faults: Faults
) -> None:
    faults.deny("s3", "PutObject")
    answer = cordon("instance", scenario.instance, "--case", "IR-7", *FAST)
    assert (answer.code, answer.document["outcome"]) == (3, "contained")
    assert answer.document["evidence"]["complete"] is False
    assert "case sync" in answer.document["evidence"]["reason"]
    faults.clear()
    assert cordon("case", "verify", "--case", "IR-7").code == 1
    synced = cordon("case", "sync", "--case", "IR-7", "--json")
    assert synced.code == 0
    assert len(synced.document["sent"]) > 5
    assert cordon("case", "verify", "--case", "IR-7").code == 0


def test_list_and_show_tell_the_case(scenario: Scenario, contained: Path, cordon: Cordon) -> None:
    (listed,) = cordon("case", "list", "--json").document["cases"]
    assert listed["case"] == "IR-7"
    assert listed["targets"] == scenario.instance
    shown = cordon("case", "show", "--case", "IR-7")
    assert "isolate-network" in shown.out
    assert scenario.instance in shown.out


def test_an_unknown_case_is_bad_input(scenario: Scenario, cordon: Cordon) -> None:
    for words in (
        ("show", "--case", "IR-404"),
        ("verify", "--local", "--case", "IR-404"),
        ("show", "--case", "../x"),
    ):
        assert cordon("case", *words).code == 2


def referring(folder: Path, key: str, size: int) -> None:
    """Adds to the run's journal what a target wrote into the vault itself."""
    run = the_run(folder)
    record, evidence = open_run(Case("IR-7"), run.name, Mirror(lambda: None))
    assert record.entries
    evidence.refer(key, size, "0" * 64)


def test_what_a_target_wrote_itself_stays_in_the_vault(
    scenario: Scenario, contained: Path, cordon: Cordon
) -> None:
    key = f"cases/IR-7/{the_run(contained).name}/evidence/{scenario.instance}/memory.lime"
    scenario.client("s3").put_object(
        Bucket=BUCKET, Key=key, Body=b"EMiL", ChecksumAlgorithm="SHA256"
    )
    unlisted = cordon("case", "verify", "--case", "IR-7", "--json")
    assert any("memory.lime is in no journal" in line for line in unlisted.document["faults"])

    referring(contained, key, 4)
    assert cordon("case", "sync", "--case", "IR-7", "--json").code == 0
    assert cordon("case", "verify", "--case", "IR-7", "--json").document["faults"] == []
    assert not list(contained.rglob("memory.lime"))

    shutil.rmtree(contained)
    fetched = cordon("case", "sync", "--case", "IR-7", "--region", REGION, "--json")
    assert key not in fetched.document["fetched"]
    assert cordon("case", "verify", "--case", "IR-7", "--json").document["faults"] == []


@pytest.mark.parametrize("size", [3, 5])
def test_a_capture_of_another_size_is_found(
    scenario: Scenario, contained: Path, cordon: Cordon, size: int
) -> None:
    key = f"cases/IR-7/{the_run(contained).name}/evidence/{scenario.instance}/memory.lime"
    scenario.client("s3").put_object(
        Bucket=BUCKET, Key=key, Body=b"EMiL", ChecksumAlgorithm="SHA256"
    )
    referring(contained, key, size)
    cordon("case", "sync", "--case", "IR-7")
    answer = cordon("case", "verify", "--case", "IR-7", "--json")
    assert answer.code == 1
    assert [line for line in answer.document["faults"] if f"4 bytes, not the {size}" in line]
