"""Runs a document as the Systems Manager agent does, on a host made of fakes.

The agent checks each parameter against its pattern, puts its text into the script, writes that to
a file and runs `sh -c <file>`. Here the host's commands are fakes that note how they were called;
the rest of PATH is a chosen list of real tools: nothing of the test machine is touched or found.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.documents import content
from contract import STEPS, Document

REAL_TOOLS = (
    "awk bash cat chmod cmp cut date grep head mkdir mkfifo mktemp nohup readlink rm rmdir"
    " sed setsid sh sha256sum sleep sort tail tee timeout tr uname wc"
).split()


@dataclass(frozen=True)
class Ran:
    """How a script ended: exit code, the JSON line, all of stdout, and stderr."""

    code: int
    report: dict[str, Any]
    stdout: str
    stderr: str


@dataclass
class Host:
    """A machine in a folder: `root` is its `/`, `bin` its commands, `calls` what was run."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = self.folder / "root"
        self.bin = self.folder / "bin"
        self.state = self.folder / "state"
        for path in (self.root / "dev/shm", self.root / "proc", self.root / "tmp", self.bin):
            path.mkdir(parents=True)
        self.state.mkdir()
        for tool in REAL_TOOLS:
            path = shutil.which(tool)
            assert path, f"these tests need {tool}"
            (self.bin / tool).symlink_to(path)

    def fake(self, name: str, body: str, language: str = "bash") -> None:
        """Adds a command: it notes its words in `calls`, then does `body`. `$STATE` is kept."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        note = 'printf "%s" "${0##*/}" >>"$STATE/calls"; printf " %s" "$@" >>"$STATE/calls"\n'
        note += 'printf "\\n" >>"$STATE/calls"\n'
        if language == "python":
            path.with_suffix(".py").write_text(body)
            body = f'exec "{sys.executable}" -IS "{path.with_suffix(".py")}" "$@"\n'
        path.write_text("#!/bin/bash\nset -e\n" + note + body)
        path.chmod(0o700)

    def remove(self, name: str) -> None:
        """Takes a command away."""
        (self.bin / name).unlink()

    def write(self, path: str, text: str) -> Path:
        """A file of the host, by its absolute path there."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    @property
    def calls(self) -> list[str]:
        """Commands run, one line each, the host's folder left out."""
        notes = self.state / "calls"
        text = notes.read_text() if notes.exists() else ""
        return text.replace(str(self.root), "").splitlines()

    def called(self, start: str) -> list[str]:
        """The calls that begin so."""
        return [call for call in self.calls if call.startswith(start)]

    def run(self, document: Document, **parameters: str) -> Ran:
        """Runs the document's Linux step; ValueError where Systems Manager would refuse."""
        made = json.loads(content(document))
        script = self.folder / "_script.sh"
        script.write_text(interpolated(made, parameters))
        script.chmod(0o700)
        done = subprocess.run(
            ["sh", "-c", str(script)],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            env={
                "PATH": str(self.bin),
                "CORDON_ROOT": str(self.root),
                "STATE": str(self.state),
                **self.environment,
            },
        )
        last = done.stdout.splitlines()[-1] if done.stdout else "{}"
        report = json.loads(last)
        assert report.get("code") == done.returncode, done.stdout + done.stderr
        assert report["document"] == document.value
        return Ran(done.returncode, report, done.stdout, done.stderr)

    def leftovers(self) -> list[str]:
        """Work folders that a script left behind."""
        return [str(p) for p in self.root.rglob("cordon.????????")]


def interpolated(made: dict[str, Any], given: dict[str, str]) -> str:
    """The script with parameters in place; ValueError for one unknown, missing or not matching."""
    declared = made["parameters"]
    if unknown := set(given) - set(declared):
        raise ValueError(f"unknown parameters {unknown}")
    [step] = [s for s in made["mainSteps"] if s["name"] == STEPS["Linux"]]
    text = "\n".join(step["inputs"]["runCommand"])
    for name, rule in declared.items():
        value = given.get(name, rule.get("default"))
        if value is None or not re.search(rule["allowedPattern"], value):
            raise ValueError(f"parameter {name} does not match")
        text = text.replace(f"{{{{ {name} }}}}", value)
    return text


def mode_of(path: Path) -> int:
    """Permission bits of a file."""
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A bare Linux host."""
    return Host(tmp_path)
