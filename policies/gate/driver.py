"""Runs Checkov over plans, in Checkov's own environment, and prints one JSON report.

Not imported by the gate, but run: `python driver.py REQUEST`, a file with `plans` (stack to
file), `policies` (a folder) and `root` (the folder of `contract.py`). Whatever Checkov would pass
over in silence is in the report: what it logged as an error, which file registered which check,
and every verdict.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any


class Errors(logging.Handler):
    """Keeps what is logged as an error: Checkov reports a failing policy in no other way."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One line: the message, and the exception if there is one."""
        cause = record.exc_info[1] if record.exc_info else None
        self.lines.append(record.getMessage() + (f": {cause!r}" if cause else ""))


def main(request: dict[str, Any]) -> dict[str, Any]:
    """The report on every plan of the request."""
    errors = Errors()
    logging.getLogger().addHandler(errors)
    # The environment of whoever runs the gate must not change what is checked.
    for name in [name for name in os.environ if name.startswith(("CHECKOV_", "CKV_"))]:
        del os.environ[name]
    sys.path.append(request["root"])
    folder = Path(request["policies"])
    if names := shadowing(folder):
        sys.exit(f"{', '.join(names)}: also the name of another module, which it would replace")
    registered = load(folder)
    stacks = {name: scan(file) for name, file in request["plans"].items()}
    return {"registered": registered, "known": known(), "errors": errors.lines, "stacks": stacks}


def shadowing(folder: Path) -> list[str]:
    """Policy files that would take the place of a module that something else imports."""
    names = sorted(file.stem for file in folder.rglob("*.py") if not file.name.startswith("__"))
    return [f"{name}.py" for name in names if importlib.util.find_spec(name) is not None]


def load(folder: Path) -> dict[str, list[str]]:
    """Loads the policies; the ids of the checks that each file registered."""
    from checkov.common.checks.base_check_registry import BaseCheckRegistry
    from checkov.terraform.checks.resource.registry import resource_registry

    # Checkov has registered its own checks by now: what comes after them is the folder's.
    before = len(BaseCheckRegistry.get_all_registered_checks())
    resource_registry.load_external_checks(str(folder))
    registered: dict[str, list[str]] = {}
    for check in BaseCheckRegistry.get_all_registered_checks()[before:]:
        registered.setdefault(_file(check), []).append(check.id)
    return registered


def _file(check: Any) -> str:
    """The file whose code defines how this check judges."""
    judge = getattr(check, "_judge", None) or type(check).scan_resource_conf
    return Path(judge.__code__.co_filename).name


def known() -> list[str]:
    """The ids of all checks that exist, built in and our own."""
    from checkov.common.checks.base_check_registry import BaseCheckRegistry
    from checkov.common.checks_infra.registry import get_graph_checks_registry

    graph = get_graph_checks_registry("terraform")
    graph.load_checks()
    checks = [*BaseCheckRegistry.get_all_registered_checks(), *graph.checks]
    return sorted({check.id for check in checks})


def scan(file: str) -> dict[str, Any]:
    """Checkov's report on one plan."""
    from checkov.runner_filter import RunnerFilter
    from checkov.terraform.plan_runner import Runner

    report = Runner().run(files=[file], runner_filter=RunnerFilter(framework=["terraform_plan"]))
    verdicts = {
        "passed": report.passed_checks,
        "failed": report.failed_checks,
        "skipped": report.skipped_checks,
    }
    return {
        "parsing_errors": list(report.parsing_errors),
        "resources": sorted(resource.removeprefix(f"{file}:") for resource in report.resources),
        "verdicts": [
            {
                "check": record.check_id,
                "rule": record.check_name,
                "result": result,
                "address": record.resource,
                "details": list(record.details or ()),
                "guideline": record.guideline or "",
            }
            for result, records in verdicts.items()
            for record in records
        ],
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
