"""Every shell file passes shellcheck, alone and in the document it is part of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from components.documents import SCRIPTS, shell_lines
from contract import Document, ScriptExit

SHELLCHECK = Path(sys.executable).parent / "shellcheck"


def test_files_pass() -> None:
    files = sorted(str(p) for p in SCRIPTS.glob("*.sh"))
    assert len(files) >= 6
    done = subprocess.run([SHELLCHECK, *files], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("document", Document)
def test_documents_pass(document: Document) -> None:
    script = "\n".join(shell_lines(document)) + "\n"
    unknowable = "SC2034,SC2153,SC2329"  # unused in this one, alike names, called by a trap
    done = subprocess.run(
        [SHELLCHECK, "-e", unknowable, "-"], input=script, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_scripts_and_contract_agree_on_exit_codes() -> None:
    [line] = [
        text
        for text in (SCRIPTS / "common.sh").read_text().splitlines()
        if text.startswith("readonly DONE=")
    ]
    words = dict(word.split("=") for word in line.removeprefix("readonly ").split())
    assert words == {code.name: str(code.value) for code in ScriptExit}
