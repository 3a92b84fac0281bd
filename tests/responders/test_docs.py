"""What the README and the runbook say can be typed, can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from responders.cli import app
from responders.permissions_page import page
from tests.responders.conftest import REGION, Cordon, Scenario

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/runbook.md")
ELSEWHERE = ("cordon lab", "cordon drill")
"""Commands that tests of their own run: the lab needs a server, the drill a tagged target."""


def commands_of(group: Any, prefix: str = "cordon") -> dict[str, Any]:
    """Every command by its words."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        words = f"{prefix} {name}"
        found |= commands_of(command, words) if hasattr(command, "commands") else {words: command}
    return found


COMMANDS = commands_of(typer.main.get_command(app))


def lines(page: str) -> list[str]:
    """What a page's code blocks tell to type; a name with bars stands for each."""
    text = (ROOT / page).read_text().replace("\\\n", " ")
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    found: list[str] = []
    for line in "\n".join(blocks).splitlines():
        typed = re.split(r"\s{3,}|\s#", line.strip())[0]
        if not typed.startswith("cordon ") or "…" in typed:
            continue
        bars = re.search(r"\S+\|\S+", typed)
        names = bars[0].split("|") if bars else [""]
        each = [typed.replace(bars[0], name) if bars else typed for name in names]
        found += [one for one in each if not one.startswith(ELSEWHERE)]
    return found


TYPED = sorted({line for page in PAGES for line in lines(page)})


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text() + " ".join(lines("README.md"))
    missing = [words for words in COMMANDS if words not in readme]
    assert not missing


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_every_command_has_help(words: str, cordon: Cordon) -> None:
    answer = cordon(*words.split()[1:], "--help")
    assert answer.code == 0
    assert len(answer.out) > 200
    assert COMMANDS[words].help


def test_every_command_shown_runs(
    scenario: Scenario, cordon: Cordon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Understood, and without an unexpected error: the outcome is other tests' matter."""
    monkeypatch.chdir(tmp_path)  # a report is written where the command is typed
    iam = scenario.client("iam")
    iam.create_user(UserName="alice")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument='{"Statement": []}')
    key = iam.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    names = {
        "i-0123456789abcdef0": scenario.instance,
        "TARGET": scenario.instance,
        "AKIAIOSFODNN7EXAMPLE": key,
        "KEYID": key,
        "VPC": scenario.vpc,
        "R": REGION,
        "FILE": str(ROOT / "README.md"),
        "DIR": str(tmp_path / "new"),
        "arn:aws:iam::111122223333:user/alice": iam.get_user(UserName="alice")["User"]["Arn"],
    }
    cordon("instance", scenario.instance, "--case", "IR-7", "--region", REGION, "--dwell", "0")
    assert TYPED
    for typed in TYPED:
        words = next(w for w in sorted(COMMANDS, key=len, reverse=True) if typed.startswith(w))
        own = {
            "ID": key if "--key ID" in typed else "IR-7",
            "NAME": "app" if words == "cordon role" else "alice",
        }
        given = [{**names, **own}.get(word, word) for word in shlex.split(typed)[1:]]
        has = {option for parameter in COMMANDS[words].params for option in parameter.opts}
        if "--dry-run" in has and "--dry-run" not in given:
            given.append("--dry-run")
        answer = cordon(*given)
        assert "Usage:" not in answer.err, (typed, answer.err)
        assert answer.code != 4, (typed, answer.err)


def test_the_page_of_permissions_is_the_declarations() -> None:
    assert (ROOT / "docs/permissions.md").read_text() == page(), "run `make docs`"
