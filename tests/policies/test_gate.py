"""The gate fails in every way in which Checkov would pass with nothing checked."""

from __future__ import annotations

import datetime
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from policies.bridge.plan import Plan, plan
from policies.bridge.program import Resource, Stack
from policies.gate import __main__ as gate
from policies.gate.ask import Report, Verdict
from policies.gate.judge import Case, Outcome, judge
from policies.gate.junit import junit
from policies.gate.sarif import sarif
from tests.policies.samples import OWN, made

Run = Callable[..., tuple[int, str, str]]
Ask = Callable[[Mapping[str, Path], Path, Path, Path], Report]

POLICY = """
from policies.rules import Conf, Plan, first, rule

def judge(conf: Conf, plan: Plan):
    return [] if first(conf, "enable_key_rotation") else ["does not rotate"]

check = rule("CKV_TEST_1", "Keys rotate", ["aws_kms_key"], "ENCRYPTION", judge)
"""
WAIVERS = """
[[waiver]]
check = "CKV_TEST_1"
address = "aws_kms_key.old-*"
reason = "It is an example of a waiver."
expires = 2999-01-01
"""
BUILT_IN = """
[[waiver]]
check = "CKV_AWS_7"
address = "aws_kms_key.*"
reason = "The built-in twin of the policy tested."
expires = 2999-01-01

[[waiver]]
check = "CKV2_AWS_64"
address = "aws_kms_key.*"
reason = "The examples need no key policy."
expires = 2999-01-01
"""


def key(name: str, rotates: bool) -> Resource:
    return made("aws:kms/key:Key", name, enableKeyRotation=rotates, tags=OWN)


GOOD, BAD, OLD = key("good", True), key("bad", False), key("old-1", False)


def recording(*resources: Resource, stack: str = "account") -> dict[str, Any]:
    """A recording as `lab.record` writes it."""
    entries = [
        {
            "urn": one.urn,
            "type": one.type,
            "name": one.name,
            "custom": one.custom,
            "parent": one.parent,
            "inputs": dict(one.inputs),
            "propertyDependencies": {},
            "protect": False,
            "source": {"file": "stacks/example.py", "line": 7},
        }
        for one in resources
    ]
    return {"schema": 1, "stacks": [{"stack": stack, "resources": entries}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one policy, `keys.py`."""
    made_ = tmp_path / "policies"
    made_.mkdir()
    (made_ / "__init__.py").touch()
    (made_ / "keys_turn.py").write_text(POLICY)
    return made_


REPORTS: dict[str, Report] = {}


def remembering(
    plans: Mapping[str, Path], folder: Path, build: Path, python: Path, real: Ask = gate.ask
) -> Report:
    """The real Checkov's report; a start takes seconds, so the same question is asked once."""
    own = sorted(file for file in folder.iterdir() if file.is_file())  # not what Python compiled
    texts = [file.read_text() for file in [*plans.values(), *own]]
    asked = json.dumps([str(python), *plans, *texts, *(file.name for file in own)])
    if asked not in REPORTS:
        REPORTS[asked] = real(plans, folder, build, python)
    return REPORTS[asked]


@pytest.fixture
def run(
    tmp_path: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs the gate; what it exits with, its standard output and its standard error."""
    monkeypatch.setattr(gate, "ask", remembering)

    def go(
        *resources: Resource, waivers: str = WAIVERS, more: tuple[str, ...] = ()
    ) -> tuple[int, str, str]:
        recorded, waived = tmp_path / "recording.json", tmp_path / "waivers.toml"
        recorded.write_text(json.dumps(recording(*resources)))
        waived.write_text(waivers + BUILT_IN)
        words = ["--recording", str(recorded), "--waivers", str(waived)]
        words += ["--policies", str(folder), "--build", str(tmp_path / "build"), *more]
        code = gate.main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return go


def built(tmp_path: Path, name: str) -> str:
    return (tmp_path / "build" / name).read_text()


# --- what it says ---------------------------------------------------------------------------------


def test_good_passes_and_a_waived_failure_is_shown_with_its_line(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(GOOD, OLD)
    assert code == 0, out
    assert "waived" in out
    assert "stacks/example.py:7" in out
    assert "FAIL" not in out
    suites = ElementTree.fromstring(built(tmp_path, "compliance.xml"))  # noqa: S314 - our own
    skipped = suites.findall(".//testcase[@classname='aws_kms_key.old-1']/skipped")
    assert "It is an example of a waiver." in [one.get("message") for one in skipped]
    results = json.loads(built(tmp_path, "compliance.sarif"))["runs"][0]["results"]
    [own] = [one for one in results if one["ruleId"] == "CKV_TEST_1"]
    assert own["suppressions"][0]["justification"] == "It is an example of a waiver."


def test_a_failure_names_resource_reason_file_and_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the caller's environment and folder would have Checkov skip it."""
    monkeypatch.setenv("CKV_SKIP_CHECK", "CKV_TEST_1")
    monkeypatch.setenv("CHECKOV_CHECK_FAIL_LEVEL", "OFF")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".checkov.yaml").write_text("skip-check: [CKV_TEST_1]\n")
    code, out, _ = run(GOOD, BAD, OLD)
    assert code == 1
    [line] = [line for line in out.splitlines() if line.startswith("FAIL")]
    for text in ("CKV_TEST_1", "stacks/example.py:7", "aws_kms_key.bad", "does not rotate"):
        assert text in line
    suites = ElementTree.fromstring(built(tmp_path, "compliance.xml"))  # noqa: S314 - our own
    [failure] = suites.findall(".//testcase/failure")
    assert failure.get("message") == "stacks/example.py:7: does not rotate"
    results = json.loads(built(tmp_path, "compliance.sarif"))["runs"][0]["results"]
    [result] = [one for one in results if "suppressions" not in one]
    [location] = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "stacks/example.py"},
        "region": {"startLine": 7},
    }


def test_reports_hold_hostile_text_as_text(tmp_path: Path) -> None:
    hostile = "a\x00\x1b[31m<b>&\ud800"
    failed = Verdict("account", "CKV_TEST_1", hostile, "failed", "aws_kms_key.a", (hostile,))
    outcome = Outcome((hostile,), (failed,), (), ())
    suites = ElementTree.fromstring(junit(outcome, {}))  # noqa: S314 - our own
    messages = [one.get("message") for one in suites.iter("failure")]
    assert messages == [": a??[31m<b>&?", "a??[31m<b>&?"]
    [result, fault] = json.loads(sarif(outcome, {}))["runs"][0]["results"]
    assert result["message"]["text"] == f"aws_kms_key.a: {hostile}"
    assert fault["ruleId"] == "gate"


# --- policies that Checkov would pass over --------------------------------------------------------


def test_broken_policies_are_faults(run: Run, folder: Path) -> None:
    (folder / "no_import.py").write_text("import no_such_module\n")
    (folder / "no_check.py").write_text("check = None\n")
    (folder / "raises_always.py").write_text(
        POLICY.replace("CKV_TEST_1", "CKV_TEST_2").replace(
            "return []", "raise KeyError\n    return []"
        )
    )
    (folder / "judges_nothing.py").write_text(
        POLICY.replace("CKV_TEST_1", "CKV_TEST_3").replace("aws_kms_key", "aws_kms_typo")
    )
    (folder / "raises_once.py").write_text(
        POLICY.replace("CKV_TEST_1", "CKV_TEST_5").replace(
            "return []", 'assert first(conf, "enable_key_rotation")\n    return []'
        )
    )
    (folder / "same_id.py").write_text(POLICY)
    (folder / "other_kind.yaml").write_text("metadata: {id: CKV_TEST_4}\n")
    code, out, _ = run(GOOD, OLD)
    assert code == 1
    for fault in (
        "Cannot load external check 'no_import'",
        "no_import.py registered 0 checks",
        "no_check.py registered 0 checks",
        "Failed to run check CKV_TEST_2",
        "CKV_TEST_2 (raises_always.py) judged no resource",
        "CKV_TEST_3 (judges_nothing.py) judged no resource",
        "Failed to run check CKV_TEST_5",
        "have the same id CKV_TEST_1",
        "other_kind.yaml is not loaded",
    ):
        assert fault in out
    assert "CKV_TEST_5 (raises_once.py) judged no resource" not in out


def test_a_policy_named_like_another_module_is_refused(run: Run, folder: Path) -> None:
    (folder / "json.py").write_text(POLICY.replace("CKV_TEST_1", "CKV_TEST_2"))
    code, _, err = run(GOOD, OLD)
    assert code == 2
    assert "json.py: also the name of another module" in err


def test_no_package_no_policies(run: Run, folder: Path) -> None:
    (folder / "__init__.py").unlink()
    code, out, _ = run(GOOD, OLD)
    assert code == 1
    assert "has no __init__.py" in out
    assert "keys_turn.py registered 0 checks" in out


def test_no_folder_or_an_empty_one_is_bad_input(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "keys_turn.py").unlink()
    for where in (folder, tmp_path / "nowhere"):
        code, _, err = run(GOOD, OLD, more=("--policies", str(where)))
        assert code == 2
        assert f"there is no policy in {where}" in err


def test_a_typo_in_check_is_a_fault_and_one_check_alone_can_be_run(run: Run) -> None:
    code, out, _ = run(GOOD, OLD, more=("--check", "CKV_TSET_1"))
    assert code == 1
    assert "there is no check CKV_TSET_1" in out
    code, out, _ = run(GOOD, OLD, more=("--check", "CKV_TEST_1"))
    assert code == 0, out
    assert "1 passed, 0 failed, 1 waived" in out


# --- plans that Checkov would read as empty -------------------------------------------------------


def no_version(plan: Any) -> None:
    del plan["terraform_version"]


def no_mode(plan: Any) -> None:
    for one in plan["planned_values"]["root_module"]["resources"]:
        del one["mode"]


def one_less(plan: Any) -> None:
    plan["planned_values"]["root_module"]["resources"].pop()


def one_more(plan: Any) -> None:
    more = {"address": "aws_kms_key.more", "mode": "managed", "type": "aws_kms_key"}
    resources = plan["planned_values"]["root_module"]["resources"]
    resources.append({**more, "name": "more", "values": {}})


SPOILED = {
    no_version: "did not see aws_kms_key.good of the stack no_version",
    no_mode: "did not see aws_kms_key.good of the stack no_mode",
    one_less: "did not see aws_kms_key.old-1 of the stack one_less",
    one_more: "saw aws_kms_key.more, which the stack one_more does not declare",
}


def test_what_checkov_sees_is_what_is_declared(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One run of five stacks, each plan spoiled in another way, the last beyond reading."""
    whole = Plan.to_json
    spoil = {function.__name__: function for function in SPOILED}

    def spoiled(plan: Plan) -> str:
        if plan.stack not in spoil:
            return "{"
        document = json.loads(whole(plan))
        spoil[plan.stack](document)
        return json.dumps(document, indent=1)

    monkeypatch.setattr(Plan, "to_json", spoiled)
    stacks = [recording(GOOD, OLD, stack=name)["stacks"][0] for name in [*spoil, "no_json"]]
    file = tmp_path / "stacks.json"
    file.write_text(json.dumps({"schema": 1, "stacks": stacks}))
    code, out, _ = run(more=("--recording", str(file)))
    assert code == 1
    for fault in SPOILED.values():
        assert fault in out
    assert "did not see aws_kms_key.good of the stack no_json" in out


def test_a_program_that_declares_nothing(run: Run) -> None:
    code, _, err = run()
    assert code == 2
    assert "declares no resources in 'account'" in err


def test_what_checkov_could_not_read_or_skipped_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    skipped = Verdict("account", "CKV_TEST_1", "Keys rotate", "skipped", "aws_kms_key.good")
    report = Report(
        registered={},
        known=frozenset({"CKV_TEST_1"}),
        errors=(),
        parsing_errors=("plan.json",),
        resources={"account": frozenset({"aws_kms_key.good"})},
        verdicts=(skipped,),
    )
    plans = [plan(Stack("account", (GOOD,)))]
    outcome = judge(Case(plans, report, tmp_path, (), datetime.date(2026, 1, 1)))
    assert outcome.faults == (
        "Checkov could not read plan.json",
        "CKV_TEST_1 was skipped for aws_kms_key.good: use a waiver",
    )
    assert not outcome.good


# --- waivers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("old-*", "gone-*", "aws_kms_key.gone-* is not used"),
        ("2999-01-01", "2001-01-01", "expired on 2001-01-01"),
        ("It is an example of a waiver.", " ", "gives no reason"),
        ("CKV_TEST_1", "CKV_TSET_1", "is of no check that exists"),
    ],
)
def test_a_waiver_that_does_not_hold_is_a_fault(run: Run, old: str, new: str, fault: str) -> None:
    code, out, _ = run(GOOD, OLD, waivers=WAIVERS.replace(old, new))
    assert code == 1
    assert fault in out
    assert [line for line in out.splitlines() if line.startswith("FAIL") and "old-1" in line]


@pytest.mark.parametrize(
    ("waivers", "said"),
    [
        (WAIVERS.replace("2999-01-01", '"2999-01-01"'), "expires is a date without quotes"),
        (WAIVERS.replace("reason", "because"), "look at because, reason"),
        (WAIVERS + "[other]\n", "only [[waiver]] entries belong there"),
        ("[[waiver", "is not TOML"),
        (WAIVERS.replace('"CKV_TEST_1"', "1"), "check, address and reason are texts"),
    ],
)
def test_malformed_waivers_are_bad_input(run: Run, waivers: str, said: str) -> None:
    code, out, err = run(GOOD, OLD, waivers=waivers)
    assert (code, out) == (2, "")
    assert said in err


# --- input ----------------------------------------------------------------------------------------


def test_a_missing_recording_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = tmp_path / "build"
    build.mkdir()
    (build / "compliance.xml").write_text("<testsuites/>")
    code = gate.main(["--recording", str(tmp_path / "none.json"), "--build", str(build)])
    assert code == 2
    assert "can't be read" in capsys.readouterr().err
    assert not (build / "compliance.xml").exists()


def test_an_unmapped_type_is_bad_input(run: Run) -> None:
    code, _, err = run(made("aws:xray/group:Group", "group"))
    assert code == 2
    assert "add a section to policies/bridge/table/xray.toml" in err


def test_an_unmapped_property_is_bad_input(run: Run) -> None:
    code, _, err = run(made("aws:kms/key:Key", "key", enabelKeyRotation=True))
    assert code == 2
    assert "has no property 'enabelKeyRotation'" in err
    assert "[aws_kms_key] in policies/bridge/table/kms.toml" in err


def test_without_checkov_nothing_passes(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gate, "PYTHON", tmp_path / "python")
    code, _, err = run(GOOD, OLD)
    assert code == 2
    assert "run `make compliance`, which installs Checkov" in err


def test_a_checkov_that_dies_passes_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dead = tmp_path / "python"
    dead.write_text("#!/bin/sh\necho dead >&2\nexit 0\n")
    dead.chmod(0o755)
    monkeypatch.setattr(gate, "PYTHON", dead)
    code, _, err = run(GOOD, OLD)
    assert code == 2
    assert "Checkov gave no report (exit code 0): dead" in err


def test_a_check_that_judges_nothing_any_more_is_a_fault(run: Run, tmp_path: Path) -> None:
    """As when Checkov drops one of its own: all that is left passes."""
    checks = tmp_path / "checks.txt"
    assert run(GOOD, OLD, more=("--checks", str(checks), "--learn"))[0] == 0
    learnt = checks.read_text().split()
    assert "CKV_TEST_1" in learnt
    assert learnt == sorted(learnt)
    assert run(GOOD, OLD, more=("--checks", str(checks)))[0] == 0
    checks.write_text("\n".join([*learnt, "CKV_AWS_144", "CKV_AWS_99999"]))
    code, out, _ = run(GOOD, OLD, more=("--checks", str(checks)))
    assert code == 1
    assert "CKV_AWS_144 judges nothing any more" in out
    assert "CKV_AWS_99999 is gone from Checkov" in out
    checks.write_text("")
    assert run(GOOD, OLD, more=("--checks", str(checks)))[0] == 2
