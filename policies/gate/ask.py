"""Asks Checkov, in its own environment, and reads the report that comes back."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.bridge.errors import BridgeError

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / ".venv-checkov" / "bin" / "python"
DRIVER = Path(__file__).with_name("driver.py")
TIMEOUT = 300
"""Seconds for all plans; 1,000 resources take about ten."""


@dataclass(frozen=True)
class Verdict:
    """What one check said of one resource: `result` is `passed`, `failed` or `skipped`."""

    stack: str
    check: str
    rule: str
    result: str
    address: str
    details: tuple[str, ...] = ()
    guideline: str = ""


@dataclass(frozen=True)
class Report:
    """What Checkov did. `registered` maps each policy file to the checks it defined."""

    registered: Mapping[str, tuple[str, ...]]
    known: frozenset[str]
    errors: tuple[str, ...]
    parsing_errors: tuple[str, ...]
    resources: Mapping[str, frozenset[str]]
    verdicts: tuple[Verdict, ...]


def ask(plans: Mapping[str, Path], folder: Path, build: Path, python: Path) -> Report:
    """Checkov's report on the plans, with the policies of `folder`.

    BridgeError when Checkov is not installed, dies, or answers with anything but a report.
    """
    if not python.exists():
        raise BridgeError(f"{python} is missing: run `make compliance`, which installs Checkov")
    request = build / "checkov-request.json"
    files = {stack: str(file.resolve()) for stack, file in plans.items()}
    content = {"plans": files, "policies": str(folder.resolve()), "root": str(ROOT)}
    request.write_text(json.dumps(content), encoding="utf-8")
    ran = subprocess.run(  # noqa: S603 - our own driver, no text of anybody else's
        [str(python), str(DRIVER), str(request)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env=_environment(),
    )
    try:
        return _report(json.loads(ran.stdout.splitlines()[-1]))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BridgeError(f"Checkov gave no report (exit code {ran.returncode}): {last}") from error


def _environment() -> dict[str, str]:
    """This environment, with compiled code kept: Checkov starts three times as fast from it."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _report(answer: Any) -> Report:
    stacks = answer["stacks"]
    return Report(
        registered={file: tuple(ids) for file, ids in answer["registered"].items()},
        known=frozenset(answer["known"]),
        errors=tuple(answer["errors"]),
        parsing_errors=tuple(e for result in stacks.values() for e in result["parsing_errors"]),
        resources={stack: frozenset(result["resources"]) for stack, result in stacks.items()},
        verdicts=tuple(
            _verdict(stack, verdict)
            for stack, result in stacks.items()
            for verdict in result["verdicts"]
        ),
    )


def _verdict(stack: str, verdict: Any) -> Verdict:
    return Verdict(
        stack=stack,
        check=verdict["check"],
        rule=verdict["rule"],
        result=verdict["result"],
        address=verdict["address"],
        details=tuple(verdict["details"]),
        guideline=verdict["guideline"],
    )
