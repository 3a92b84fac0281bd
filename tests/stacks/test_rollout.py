"""Many accounts at once: bounded, guarded, and one's failure is nobody else's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stacks.rollout import BadRollout, Plan, Result, accounts, main, roll_out, summary

GUARD = 'config:\n  aws:allowedAccountIds: ["{account}"]\n'


@dataclass
class Cloud:
    """Stacks that take a moment, of which some fail; knows what was done and how many at once."""

    fail: set[str] = field(default_factory=set)
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    running: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, name: str, project: Path) -> _Stack:
        return _Stack(name, self)


@dataclass
class _Stack:
    name: str
    cloud: Cloud

    def preview(self, *, on_output: Callable[[str], Any], **options: Any) -> Any:
        self._run("preview", on_output, options)
        return SimpleNamespace(change_summary={"create": 3})

    def up(self, *, on_output: Callable[[str], Any], **options: Any) -> Any:
        self._run("up", on_output, options)
        return SimpleNamespace(summary=SimpleNamespace(resource_changes={"same": 2, "create": 1}))

    def _run(self, verb: str, on_output: Callable[[str], Any], options: dict[str, Any]) -> None:
        with self.cloud.lock:
            self.cloud.calls.append((self.name, verb, options))
            self.cloud.running += 1
            self.cloud.most = max(self.cloud.most, self.cloud.running)
        on_output(f"{verb} {self.name}\n")
        time.sleep(0.02)
        with self.cloud.lock:
            self.cloud.running -= 1
        if self.name in self.cloud.fail:
            raise RuntimeError("a\nlong\noutput\nerror: AccessDenied")


NAMES = [f"account-{n}" for n in range(8)]


def test_every_stack_is_deployed_a_few_at_a_time() -> None:
    cloud = Cloud()
    results = roll_out(NAMES, Plan("up", parallel=3), opener=cloud.open)
    assert [r.stack for r in results] == NAMES
    assert {r.status for r in results} == {"done"}
    assert results[0].detail == "1 create, 2 same"
    assert sorted(name for name, _, _ in cloud.calls) == NAMES
    assert 1 < cloud.most <= 3


def test_secrets_are_not_shown_and_the_state_is_refreshed_first() -> None:
    cloud = Cloud()
    roll_out(["a"], Plan("up"), opener=cloud.open)
    assert cloud.calls == [("a", "up", {"color": "never", "show_secrets": False, "refresh": True})]


def test_a_preview_changes_nothing() -> None:
    cloud = Cloud()
    [result] = roll_out(["a"], Plan("preview"), opener=cloud.open)
    assert [verb for _, verb, _ in cloud.calls] == ["preview"]
    assert result.detail == "3 create"


def test_one_account_s_failure_stops_no_other_and_is_reported() -> None:
    cloud = Cloud(fail={"account-2"})
    results = roll_out(NAMES, Plan("up"), opener=cloud.open)
    assert [r.stack for r in results if r.status == "failed"] == ["account-2"]
    assert len(cloud.calls) == len(NAMES)
    text = summary(results)
    assert text.startswith("7 done, 1 failed")
    assert "failed  account-2" in text
    assert "error: AccessDenied" in text


def test_a_stack_that_cannot_be_opened_is_a_failure_of_its_own() -> None:
    def open_none(name: str, project: Path) -> Any:
        raise FileNotFoundError("pulumi: command not found")

    [result] = roll_out(["a"], Plan("up"), opener=open_none)
    assert (result.status, result.detail) == ("failed", "pulumi: command not found")


def test_after_enough_failures_no_further_stack_is_begun() -> None:
    cloud = Cloud(fail={"account-0", "account-1", "account-2"})
    results = roll_out(NAMES, Plan("up", parallel=1, max_failures=2), opener=cloud.open)
    assert [r.status for r in results] == ["failed", "failed", *["skipped"] * 6]
    assert len(cloud.calls) == 2


def test_results_are_reported_as_they_come() -> None:
    reported: list[Result] = []
    roll_out(["a", "b"], Plan("up", parallel=1), opener=Cloud().open, report=reported.append)
    assert [r.stack for r in reported] == ["a", "b"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (stacks := tmp_path / "stacks").mkdir()
    for number, name in enumerate(("web", "payments", "example")):
        text = GUARD.format(account=f"11112222333{number}")
        (stacks / f"Pulumi.{name}.yaml").write_text(text)
    return stacks


def test_every_file_but_the_example_is_a_stack(folder: Path) -> None:
    assert accounts(folder) == {"payments": "111122223331", "web": "111122223330"}
    assert accounts(folder, ["web"]) == {"web": "111122223330"}


@pytest.mark.parametrize("text", ["", "config: {}", "config: {aws:allowedAccountIds: []}"])
def test_a_stack_without_a_guarded_account_is_refused(folder: Path, text: str) -> None:
    (folder / "Pulumi.web.yaml").write_text(text)
    with pytest.raises(BadRollout, match=r"Pulumi.web.yaml must set aws:allowedAccountIds"):
        accounts(folder)


def test_unknown_and_no_stacks_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRollout, match=r"no .*Pulumi.nope.yaml; write it first"):
        accounts(folder, ["nope"])
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(BadRollout, match="copy the example first"):
        accounts(empty)


def run(folder: Path, cloud: Cloud, *arguments: str) -> int:
    return main([*arguments, "--project", str(folder.parent)], opener=cloud.open)


def test_the_command_says_how_it_went(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = Cloud(fail={"web"})
    assert run(folder, cloud, "up", "--logs", str(folder / "logs")) == 1
    out, talk = capsys.readouterr()
    assert out.startswith("1 done, 1 failed\nfailed  web")
    assert "payments: account 111122223331" in talk
    assert (folder / "logs" / "payments.log").read_text() == "up payments\n"
    assert "AccessDenied" in (folder / "logs" / "web.log").read_text()
    for arguments, refreshed in (
        (["preview", "web"], True),
        (["up", "web", "--no-refresh"], False),
    ):
        assert run(folder, cloud := Cloud(), *arguments) == 0
        assert [options["refresh"] for _, _, options in cloud.calls] == [refreshed]


@pytest.mark.parametrize("arguments", [["up", "nope"], ["up", "--parallel", "0"]])
def test_bad_input_begins_nothing(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = Cloud()
    assert run(folder, cloud, *arguments) == 2
    assert cloud.calls == []
    assert capsys.readouterr().err


def test_an_interrupt_begins_no_further_stack(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = Cloud()

    def interrupted(name: str, project: Path) -> Any:
        if cloud.calls:
            raise KeyboardInterrupt
        return cloud.open(name, project)

    arguments = ["up", "--parallel", "1", "--project", str(folder.parent)]
    assert main(arguments, opener=interrupted) == 130
    assert "no other was begun" in capsys.readouterr().err
    assert len(cloud.calls) == 1
