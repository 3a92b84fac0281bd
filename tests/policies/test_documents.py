"""What is written about policies works: the newcomer's example, the CI jobs, the list of checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from policies.bridge.plan import plan
from policies.bridge.program import Stack
from policies.gate.__main__ import PYTHON, ROOT
from policies.gate.ask import ask
from policies.pack.judging import rules

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
COMPLIANCE = (ROOT / "docs" / "compliance.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_the_newcomers_policy_passes_and_fails_as_its_examples_say(tmp_path: Path) -> None:
    policy, examples = blocks(CONTRIBUTING.partition("## Adding a policy")[2], "python")
    lines = [line for line in (policy + examples).splitlines() if line]
    assert len(lines) <= 10
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "flow_logs_see_all.py").write_text(policy)
    shown: dict[str, Any] = {}
    exec(examples, shown)  # noqa: S102 - the project's own document
    stacks = [Stack(f"good{n}", tuple(one)) for n, one in enumerate(shown["GOOD"])]
    stacks += [Stack(f"bad{n}", tuple(one)) for n, (_, one) in enumerate(shown["BAD"])]
    files = {stack.name: tmp_path / f"{stack.name}.json" for stack in stacks}
    for stack in stacks:
        files[stack.name].write_text(plan(stack).to_json())
    report = ask(files, folder, tmp_path, PYTHON)
    [number] = report.registered["flow_logs_see_all.py"]
    assert number not in {rule.identifier for rule in rules().values()}
    own = {v.stack: v for v in report.verdicts if v.check == number}
    assert own["good0"].result == "passed"
    assert own["bad0"].result == "failed"
    assert shown["BAD"][0][0] in "; ".join(own["bad0"].details)
    assert report.errors == ()


def test_the_ci_jobs_run_the_gate_and_keep_its_reports() -> None:
    github, gitlab = (yaml.safe_load(block) for block in blocks(COMPLIANCE, "yaml"))
    steps = github["jobs"]["compliance"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["make compliance"]
    [upload] = [step for step in steps if "upload-sarif" in step.get("uses", "")]
    assert upload["with"]["sarif_file"] == "build/compliance.sarif"
    assert upload["if"] == "always()"
    assert gitlab["compliance"]["script"] == ["make compliance"]
    assert gitlab["compliance"]["artifacts"]["reports"]["junit"] == "build/compliance.xml"


def test_the_gate_runs_in_ci_and_after_what_it_needs() -> None:
    assert "make compliance" in (ROOT / ".ci" / "run").read_text().splitlines()
    recipe = (ROOT / "Makefile").read_text().partition("\ncompliance:")[2].partition("\n\n")[0]
    assert "-m lab.record build/registrations.json" in recipe
    assert "-m policies.gate --recording build/registrations.json" in recipe


def test_every_policy_is_in_the_table() -> None:
    table = COMPLIANCE.partition("## Our own policies")[2].partition("\n## ")[0]
    listed: set[str] = set()
    for cell in re.findall(r"^\| CKV_CORDON_([^|]+) \|", table, re.MULTILINE):
        low, _, high = cell.partition(" to ")
        span = range(int(low), int(high) + 1) if high else map(int, cell.split(", "))
        listed |= {f"CKV_CORDON_{number}" for number in span}
    assert listed == {rule.identifier for rule in rules().values()}


def test_what_is_shown_of_the_tables_and_the_waivers_stands_there() -> None:
    table, waiver = sorted(blocks(COMPLIANCE, "toml"), key=lambda block: "[[waiver]]" in block)
    assert waiver in (ROOT / "policies" / "waivers.toml").read_text()
    real = (ROOT / "policies" / "bridge" / "table" / "s3.toml").read_text()
    for line in table.splitlines():
        if not line.startswith("has"):
            assert line in real
