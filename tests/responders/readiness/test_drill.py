"""`cordon drill`: changes nothing unless marked, restores always, measures and judges."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders import readiness
from responders.readiness import FAIL, OK, Finding
from responders.record.case import Case
from tests.conftest import AwsLab
from tests.responders.conftest import VAULT, Cordon, Scenario

DRILL = ("drill", "--case", "DRILL-1", "--tracking", "convert", "--dwell", "0", "--json")


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What `cordon ready` would say, to be changed by a test; at first all is in order."""
    found = [Finding("groups", OK, "prepared", region="eu-west-1")]
    monkeypatch.setattr(readiness, "audit", lambda _aws, _regions: found)
    return found


@pytest.fixture
def marked(scenario: Scenario) -> Scenario:
    """The scenario's instance may be contained by a drill."""
    scenario.client("ec2").create_tags(
        Resources=[scenario.instance], Tags=[{"Key": "cordon:drill", "Value": "true"}]
    )
    return scenario


@pytest.fixture
def unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading every object of the vault again is left out: one test does it."""
    monkeypatch.setattr("responders.drill.vault_faults", lambda _case, _vault: [])


def own_tags(scenario: Scenario) -> dict[str, str]:
    """The instance's tags but the case's."""
    tags = scenario.tags(scenario.instance)
    return {k: v for k, v in tags.items() if k not in ("cordon:case", "cordon:status")}


@pytest.mark.parametrize("value", [None, "false", "True", ""])
def test_without_the_mark_it_only_plans(
    scenario: Scenario, cordon: Cordon, calls: Calls, ready: list[Finding], value: str | None
) -> None:
    if value is not None:
        scenario.client("ec2").create_tags(
            Resources=[scenario.instance], Tags=[{"Key": "cordon:drill", "Value": value}]
        )
    calls.clear()
    answer = cordon(*DRILL, "--target", scenario.instance)
    assert (answer.code, answer.document["outcome"]) == (0, "passed"), answer.out + answer.err
    assert calls.mutating == []
    assert answer.document["live"] is False
    assert [p["name"] for p in answer.document["phases"]] == ["find", "ready", "plan"]
    steps = {s["name"]: s for s in answer.document["phases"][-1]["steps"]}
    assert steps["isolate-network"]["status"] == "planned"
    assert all(s["seconds"] >= 0 for s in steps.values())
    assert "cordon:drill=true" in answer.document["notes"][0]
    assert Case("DRILL-1").runs() == []


def test_marked_it_contains_and_releases_and_keeps_the_times(
    marked: Scenario, cordon: Cordon, calls: Calls, ready: list[Finding]
) -> None:
    groups, tags = marked.groups(), own_tags(marked)
    isolated: list[dict[str, list[str]]] = []
    calls.clear()
    answer = cordon(*DRILL, "--target", marked.instance)
    assert (answer.code, answer.document["outcome"]) == (0, "passed"), answer.out + answer.err
    document = answer.document
    assert document["live"] is True
    outcomes = {p["name"]: p["outcome"] for p in document["phases"]}
    assert outcomes == {
        "find": "found",
        "ready": "ready",
        "plan": "planned",
        "contain": "contained",
        "again": "already-contained",
        "release": "released",
        "prove": "verified",
    }
    assert document["contained_after_s"] > 0
    changes = calls.of("ec2", "ModifyNetworkInterfaceAttribute")
    isolated = [c.params.get("Groups") for c in changes if c.params.get("Groups")]
    assert isolated.count([marked.isolate]) == 2
    assert calls.of("ec2", "CreateSnapshots") == []
    assert (marked.groups(), own_tags(marked)) == (groups, tags)
    kept = [r.begin["command"] for r in Case("DRILL-1").runs()]
    assert kept == ["instance", "instance", "release", "drill"]
    s3 = marked.client("s3")
    listed = s3.list_objects_v2(Bucket=VAULT, Prefix="cases/DRILL-1/")["Contents"]
    [key] = [o["Key"] for o in listed if o["Key"].endswith("evidence/drill/report.json")]
    saved = json.loads(s3.get_object(Bucket=VAULT, Key=key)["Body"].read())
    assert [p["name"] for p in saved["phases"]] == list(outcomes)


@pytest.mark.usefixtures("unproven")
def test_a_second_drill_in_the_same_case(
    marked: Scenario, cordon: Cordon, ready: list[Finding]
) -> None:
    assert cordon(*DRILL, "--target", marked.instance).code == 0
    again = cordon(*DRILL, "--target", marked.instance)
    assert (again.code, again.document["outcome"]) == (0, "passed"), again.out


def test_dry_run_never_contains(
    marked: Scenario, cordon: Cordon, calls: Calls, ready: list[Finding]
) -> None:
    calls.clear()
    answer = cordon(*DRILL, "--target", marked.instance, "--dry-run")
    assert (answer.code, answer.document["live"]) == (0, False), answer.out
    assert calls.mutating == []


@pytest.mark.usefixtures("unproven")
def test_a_failed_containment_is_released_all_the_same(
    marked: Scenario, cordon: Cordon, faults: Faults, ready: list[Finding]
) -> None:
    groups = marked.groups()
    second = marked.enis[1]
    faults.deny(
        "ec2",
        "ModifyNetworkInterfaceAttribute",
        only=lambda call: (
            call.params["NetworkInterfaceId"] == second
            and call.params.get("Groups") == [marked.isolate]
        ),
    )
    answer = cordon(*DRILL, "--target", marked.instance)
    assert (answer.code, answer.document["outcome"]) == (1, "failed"), answer.out
    assert any("isolate-network" in line for line in answer.document["failures"])
    assert marked.groups() == groups


@pytest.mark.usefixtures("unproven")
def test_a_failed_release_is_loud_and_names_the_command(
    marked: Scenario, cordon: Cordon, faults: Faults, ready: list[Finding]
) -> None:
    faults.deny(
        "ec2",
        "ModifyNetworkInterfaceAttribute",
        only=lambda call: marked.app_group in call.params.get("Groups", ()),
    )
    answer = cordon(*DRILL, "--target", marked.instance)
    assert (answer.code, answer.document["outcome"]) == (1, "failed"), answer.out
    command = f"cordon release {marked.instance} --case DRILL-1"
    assert any(command in line for line in answer.document["failures"])
    faults.clear()
    assert cordon("release", marked.instance, "--case", "DRILL-1").code == 0


def test_findings_of_readiness_make_it_3(
    scenario: Scenario, cordon: Cordon, ready: list[Finding]
) -> None:
    ready.append(Finding("groups", FAIL, "a rule was changed", "Run `pulumi up`.", "vpc-1", "x"))
    answer = cordon(*DRILL, "--target", scenario.instance)
    assert (answer.code, answer.document["outcome"]) == (3, "findings"), answer.out
    assert "a rule was changed" in answer.document["findings"][0]


def test_nothing_prepared_fails(scenario: Scenario, cordon: Cordon, ready: list[Finding]) -> None:
    ready.clear()
    answer = cordon(*DRILL, "--target", scenario.instance)
    assert (answer.code, answer.document["outcome"]) == (1, "failed"), answer.out


@pytest.mark.usefixtures("unproven")
def test_too_slow_is_a_finding(
    marked: Scenario, cordon: Cordon, ready: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--target", marked.instance, "--dwell", "1.2", "--within", "1")
    answer = cordon(*DRILL, *words)
    assert (answer.code, answer.document["outcome"]) == (3, "findings"), answer.out
    assert "not within 1.0 s" in " ".join(answer.document["findings"])


def test_a_real_case_is_not_used_for_a_drill(
    marked: Scenario, cordon: Cordon, calls: Calls, ready: list[Finding]
) -> None:
    words = (marked.instance, "--dwell", "0", "--no-snapshot", "--json")
    assert cordon("instance", *words, "--case", "IR-7").code == 0
    groups = marked.groups()
    calls.clear()
    for case in ("IR-7", "DRILL-1"):
        answer = cordon("drill", "--case", case, "--target", marked.instance)
        assert answer.code == 2, answer.out
        assert "IR-7" in answer.err
    assert calls.mutating == []
    assert marked.groups() == groups


def test_the_real_audit_is_asked(scenario: Scenario, cordon: Cordon) -> None:
    answer = cordon(*DRILL, "--target", scenario.instance)
    assert answer.code in (1, 3)
    assert any("documents" in line for line in answer.document["findings"])


def test_without_a_target_only_readiness(
    aws_lab: AwsLab, cordon: Cordon, calls: Calls, ready: list[Finding]
) -> None:
    answer = cordon(*DRILL)
    assert (answer.code, answer.document["outcome"]) == (0, "passed"), answer.out
    assert [p["name"] for p in answer.document["phases"]] == ["ready"]
    assert calls.mutating == []


def test_for_people(scenario: Scenario, cordon: Cordon, ready: list[Finding]) -> None:
    answer = cordon("drill", "--case", "DRILL-1", "--target", scenario.instance)
    assert "DRILL PASSED" in answer.out
    assert "isolate-network" in answer.out


@pytest.mark.parametrize(
    "words", [("--case", "no/case"), ("--case", "DRILL-1", "--target", "web-1")]
)
def test_bad_input(scenario: Scenario, cordon: Cordon, words: tuple[str, ...]) -> None:
    assert cordon("drill", *words).code == 2


@pytest.mark.usefixtures("unproven")
def test_interrupted_it_releases(
    marked: Scenario, cordon: Cordon, ready: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    from responders.action import Incident

    groups = marked.groups()

    def interrupt(incident: Incident, seconds: float) -> bool:
        incident.stopping.set()
        return False

    calls: list[Any] = []
    true_wait = Incident.wait

    def once(incident: Incident, seconds: float) -> bool:
        calls.append(seconds)
        return interrupt(incident, seconds) if len(calls) == 1 else true_wait(incident, seconds)

    monkeypatch.setattr(Incident, "wait", once)
    answer = cordon(*DRILL, "--target", marked.instance, "--tracking", "convert", "--dwell", "9")
    assert (answer.code, answer.document["outcome"]) == (130, "interrupted"), answer.out
    assert marked.groups() == groups
