"""A damaged record stays readable, stops no containment, and is restored from the vault."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from responders.record.case import Case
from tests.responders.conftest import REGION, VAULT, Answer, Cordon, Scenario

FAST = ("--region", REGION, "--dwell", "0", "--json", "--no-snapshot")
CASE = ("--case", "IR-7")
Damage = Callable[[Path], object]
"""Does something to the folder of the case's run."""


def _unlink(path: Path, content: bytes | None = None) -> None:
    path.unlink()
    if content is not None:
        path.write_bytes(content)


def _link_elsewhere(run: Path) -> None:
    elsewhere = run.parent.parent.parent / "elsewhere"
    shutil.rmtree(elsewhere, ignore_errors=True)
    run.parent.rename(elsewhere)
    run.parent.symlink_to(elsewhere)


DAMAGE: dict[str, Damage] = {
    "unreadable": lambda run: _unlink(run / "journal/3.json", b"\x00garbage"),
    "empty": lambda run: _unlink(run / "journal/3.json", b""),
    "changed": lambda run: _unlink(
        run / "journal/3.json", (run / "journal/3.json").read_bytes().replace(b'"step"', b'"stop"')
    ),
    "missing": lambda run: _unlink(run / "journal/3.json"),
    "first missing": lambda run: _unlink(run / "journal/1.json"),
    "nested": lambda run: _unlink(run / "journal/3.json", b"[" * 100_000),
    "huge": lambda run: _unlink(run / "journal/3.json", b"9" * 9_000_000),
    "a folder": lambda run: (_unlink(run / "journal/3.json"), (run / "journal/3.json").mkdir()),
}
"""What breaks the chain: the run is set aside by the next containment."""
ODD: dict[str, Damage] = {
    "an absurd number": lambda run: (run / "journal/99999999999999999999.json").touch(),
    "a control character": lambda run: (run / "journal/\x1b[31m9.json").touch(),
    "a strange folder": lambda run: (run.parent / "\x1b[2J").mkdir(),
    "open to all": lambda run: run.parent.chmod(0o777),
    "a link": _link_elsewhere,
}
"""What leaves the chain as it was."""


@pytest.fixture
def contained(scenario: Scenario, cordon: Cordon) -> Path:
    """The home of a case with one run."""
    answer = cordon("instance", scenario.instance, *CASE, *FAST)
    assert answer.code == 0, answer.out
    return scenario.lab.home


@pytest.fixture
def damaged(contained: Path, tmp_path: Path) -> Callable[[Damage], Path]:
    """Damages a fresh copy of the case, and gives its folder."""
    whole = tmp_path / "whole"
    shutil.copytree(contained, whole)

    def damage(kind: Damage) -> Path:
        shutil.rmtree(contained)
        shutil.copytree(whole, contained)
        folder = contained / "cases" / "IR-7"
        kind(folder / Case("IR-7").runs_on_disk()[0])
        return folder

    return damage


def each(kinds: dict[str, Damage], damaged: Callable[[Damage], Path]) -> Iterator[tuple[str, Path]]:
    for name, kind in kinds.items():
        yield name, damaged(kind)


def printable(answer: Answer) -> bool:
    return all(c.isprintable() or c == "\n" for c in answer.out + answer.err)


def test_every_command_that_reads_tells_it_and_goes_on(
    damaged: Callable[[Damage], Path], cordon: Cordon
) -> None:
    for name, _folder in each(DAMAGE | ODD, damaged):
        listed = cordon("case", "list", "--json")
        assert listed.code == 0, name
        assert listed.document["cases"][0]["damage"], name
        shown = cordon("case", "show", *CASE, "--local")
        assert shown.code == 0, name
        assert "case IR-7: " in shown.err, name
        verified = cordon("case", "verify", *CASE, "--local")
        assert verified.code == 1, name
        report = cordon("case", "report", *CASE)
        assert report.code == 0, name
        assert "does not verify" in report.out, name
        assert all(printable(a) for a in (shown, verified, report, cordon("case", "list"))), name


def test_sync_restores_it_and_keeps_what_was_damaged(
    damaged: Callable[[Damage], Path], cordon: Cordon
) -> None:
    for name, folder in each(DAMAGE, damaged):
        run = folder / Case("IR-7").runs_on_disk()[0]
        broken = {p.name: p.read_bytes() for p in (run / "journal").iterdir() if p.is_file()}
        synced = cordon("case", "sync", *CASE, "--region", REGION, "--json")
        assert (synced.code, synced.document["outcome"]) == (0, "synced"), (name, synced.out)
        assert synced.document["sent"] == [], name
        assert cordon("case", "verify", *CASE, "--json").document["faults"] == [], name
        for restored in synced.document["restored"]:
            kept = run.with_name(f"{run.name}.damaged") / "journal" / Path(restored).name
            assert kept.is_dir() or kept.read_bytes() == broken[kept.name], name


def test_only_what_is_damaged_is_written(damaged: Callable[[Damage], Path], cordon: Cordon) -> None:
    folder = damaged(DAMAGE["unreadable"])
    journal = folder / Case("IR-7").runs_on_disk()[0] / "journal"
    before = {p.name: p.stat().st_ino for p in journal.iterdir()}
    cordon("case", "sync", *CASE, "--region", REGION)
    after = {p.name: p.stat().st_ino for p in journal.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"3.json"}


def test_the_oldest_version_restores_it(
    scenario: Scenario, damaged: Callable[[Damage], Path], cordon: Cordon
) -> None:
    """Somebody wrote over the vault's object too, and hid another behind a delete marker."""
    folder = damaged(DAMAGE["missing"])
    run = Case("IR-7").runs_on_disk()[0]
    s3, bucket = scenario.client("s3"), VAULT
    key = f"cases/IR-7/{run}/journal/%s.json"
    s3.put_object(Bucket=bucket, Key=key % 3, Body=b"forged", ChecksumAlgorithm="SHA256")
    s3.delete_object(Bucket=bucket, Key=key % 4)
    (folder / run / "journal/4.json").unlink()
    assert cordon("case", "sync", *CASE, "--region", REGION).code == 0
    assert cordon("case", "verify", *CASE, "--local").code == 0
    faults = cordon("case", "verify", *CASE, "--json").document["faults"]
    assert [line.partition("journal/")[2] for line in faults] == [
        "3.json was written again (its oldest version is judged)",
        "4.json was deleted (its oldest version is judged)",
    ]


def test_a_run_that_died_before_its_first_entry_is_no_fault(
    contained: Path, cordon: Cordon
) -> None:
    (contained / "cases/IR-7/20990101T000000000Z-abcdef/journal").mkdir(parents=True, mode=0o700)
    for folder in (contained / "cases/IR-7/20990101T000000000Z-abcdef").rglob("*"):
        folder.chmod(0o700)
    (contained / "cases/IR-7/20990101T000000000Z-abcdef").chmod(0o700)
    assert cordon("case", "verify", *CASE).code == 0


def test_runs_are_ordered_by_their_links(
    scenario: Scenario, contained: Path, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was a day ahead, and then set right: the later run has the earlier name."""
    first = Case("IR-7").runs_on_disk()[0]
    monkeypatch.setattr("responders.record.case.new_run", lambda: "20200101T000000000Z-abcdef")
    monkeypatch.setattr(
        "responders.record.opened_run.new_run", lambda: "20200101T000000000Z-abcdef"
    )
    assert cordon("instance", scenario.instance, *CASE, *FAST).code == 0
    assert [run.name for run in Case("IR-7").runs()] == [first, "20200101T000000000Z-abcdef"]
    assert cordon("case", "verify", *CASE).code == 0
    assert cordon("release", scenario.instance, *CASE).code == 0


def test_two_beginnings_are_a_fork_and_two_targets_are_not(
    scenario: Scenario, contained: Path, cordon: Cordon
) -> None:
    run = contained / "cases/IR-7" / Case("IR-7").runs_on_disk()[0]
    for name, target in (("other", "i-0123456789abcdef0"), ("forged", scenario.instance)):
        body = json.loads((run / "journal/1.json").read_bytes())
        body |= {"run": name, "target": target}
        folder = run.parent / name / "journal"
        os.makedirs(folder, mode=0o700)
        folder.parent.chmod(0o700)
        raw = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        (folder / "1.json").write_text(raw)
        faults = cordon("case", "verify", *CASE, "--local", "--json").document["faults"]
        if name == "other":
            assert faults == []
        else:
            assert len(faults) == 1
            assert "two beginnings" in faults[0]


def test_a_case_that_nobody_knows_is_bad_input(scenario: Scenario, cordon: Cordon) -> None:
    for command in ("sync", "verify", "show"):
        where = () if command == "show" else ("--region", REGION)
        answer = cordon("case", command, "--case", "IR-404", *where, "--json")
        assert answer.code == 2, command
        assert "no case IR-404" in answer.document["error"], command


def let_out(scenario: Scenario) -> None:
    """Somebody put the instance's own group back, so that there is something to contain."""
    for interface in scenario.enis:
        scenario.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=interface, Groups=[scenario.app_group]
        )


def test_containment_sets_it_aside_and_begins_a_run_of_its_own(
    scenario: Scenario, damaged: Callable[[Damage], Path], cordon: Cordon
) -> None:
    kinds = {name: DAMAGE[name] for name in ("unreadable", "first missing", "a folder")}
    for name, folder in each(kinds, damaged):
        let_out(scenario)
        (run,) = Case("IR-7").runs_on_disk()
        answer = cordon("instance", scenario.instance, *CASE, *FAST)
        assert set(map(tuple, scenario.groups().values())) == {(scenario.isolate,)}, name
        assert answer.document["outcome"] == "contained", (name, answer.out)
        risks = " ".join(answer.document["residual_risks"])
        assert f"the record {run} is damaged" in risks, name
        assert "cordon case sync --case IR-7" in risks, name
        assert (folder / f"{run}.damaged/journal").is_dir(), name
        assert Case("IR-7").runs_on_disk() == [answer.document["run"]], name


def test_a_damaged_run_is_neither_gone_on_with_nor_restored_from(
    scenario: Scenario, damaged: Callable[[Damage], Path], cordon: Cordon
) -> None:
    before = scenario.groups()
    for name, _folder in each(DAMAGE, damaged):
        for words in (("resume",), ("release", scenario.instance)):
            answer = cordon(*words, *CASE, "--json")
            assert answer.code in (1, 2), (name, answer.out)
            assert scenario.groups() == before, name
            if answer.code == 1:
                assert "cordon case sync" in answer.out + answer.err, (name, words)
