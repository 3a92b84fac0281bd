"""Audits the pinned dependencies against the advisory database, and says so when it could not.

Exit codes: 0 no known vulnerability; 1 a dependency has one; 3 with `--strict` some dependencies
could not be looked up, so nothing is known about them. Without `--strict` that is a warning only:
where there is no network, a build can't be kept waiting for an answer that never comes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
SECONDS = 300


def main() -> int:
    """Audits each requirements file and prints one line for each finding."""
    vulnerable: list[str] = []
    unknown: list[str] = []
    for name in ("responders.txt", "dev.txt", "checkov.txt"):
        report = _audit(REQUIREMENTS / name)
        if report is None:
            unknown.append(f"{name}: the advisory database did not answer")
            continue
        for package in report["dependencies"]:
            label = f"{name}: {package['name']} {package.get('version', '')}".rstrip()
            if "skip_reason" in package:
                unknown.append(label)
            vulnerable += [f"{label}: {v['id']}" for v in package.get("vulns", ())]
    for line in vulnerable:
        _say("error", f"known vulnerability: {line}")
    if unknown:
        _say(
            "warning",
            f"NOT AUDITED: {len(unknown)} dependencies could not be looked up, so nothing is "
            f"known about them (first: {unknown[0]})",
        )
    if not vulnerable and not unknown:
        print("dependency audit: every pinned dependency was looked up, no known vulnerability")
    return 1 if vulnerable else 3 if unknown and "--strict" in sys.argv else 0


def _audit(requirements: Path) -> dict[str, list[dict]] | None:
    """The report of pip-audit; None when it could not reach the advisory database."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    command += ["--require-hashes", "--disable-pip", "-r", str(requirements)]
    try:
        audit = subprocess.run(  # noqa: S603 - a fixed command on our own files
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return json.loads(audit.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def _say(level: str, text: str) -> None:
    """One line that also becomes an annotation where GitHub Actions runs this."""
    prefix = f"::{level}::" if os.environ.get("GITHUB_ACTIONS") else f"{level.upper()}: "
    print(f"{prefix}{text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
