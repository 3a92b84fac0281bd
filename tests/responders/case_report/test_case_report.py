"""`cordon case report`: what was done, provably, with nothing hostile let through."""

from __future__ import annotations

from pathlib import Path

from tests.responders.conftest import REGION, Cordon, Scenario

HOSTILE = "<script>alert(1)</script>"


def test_the_page_tells_the_case_and_runs_nothing(
    scenario: Scenario, cordon: Cordon, tmp_path: Path
) -> None:
    scenario.client("ec2").create_tags(
        Resources=[scenario.instance], Tags=[{"Key": "Environment", "Value": HOSTILE}]
    )
    cordon("instance", scenario.instance, "--case", "IR-7", "--region", REGION, "--dwell", "0")
    path = tmp_path / "report.html"
    answer = cordon("case", "report", "--case", "IR-7", "-o", str(path), "--json")
    assert (answer.code, answer.document["outcome"]) == (0, "verified")
    assert path.stat().st_mode & 0o077 == 0
    text = path.read_text()
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    for told in (scenario.instance, "isolate-network", "contained", "console-output.txt"):
        assert told in text
    assert "does not verify" not in text
    assert "default-src 'none'" in text


def test_the_page_says_when_the_record_does_not_verify(scenario: Scenario, cordon: Cordon) -> None:
    cordon("instance", scenario.instance, "--case", "IR-7", "--region", REGION, "--dwell", "0")
    evidence = next((scenario.lab.home / "cases").rglob("console-output.txt"))
    evidence.write_text("nothing to see")
    answer = cordon("case", "report", "--case", "IR-7")
    assert "The record does not verify" in answer.out
    assert "console-output.txt was changed" in answer.out


def test_the_same_as_json_and_as_markdown(scenario: Scenario, cordon: Cordon) -> None:
    cordon("instance", scenario.instance, "--case", "IR-7", "--region", REGION, "--dwell", "0")
    for words in (("--json",), ("--format", "json")):
        document = cordon("case", "report", "--case", "IR-7", *words).document
        (target,) = document["targets"]
        assert (target["id"], target["state"]) == (scenario.instance, "contained")
        assert target["contained_after"] >= 0
        assert len(target["interfaces"]) == 2
        assert all(i["before"] and i["after"] != i["before"] for i in target["interfaces"])
        assert {e["verified"] for e in document["evidence"]} == {"verified"}
    text = cordon("case", "report", "--case", "IR-7", "--format", "md").out
    assert scenario.instance in text
    assert "## Chain of custody" in text


def test_a_release_is_told(scenario: Scenario, cordon: Cordon) -> None:
    case = ("--case", "IR-7")
    cordon("instance", scenario.instance, *case, "--region", REGION, "--dwell", "0")
    cordon("release", scenario.instance, *case)
    (target,) = cordon("case", "report", *case, "--json").document["targets"]
    assert (target["state"], bool(target["released"])) == ("released", True)


def test_only_options_that_differ_from_the_default_are_shown(
    scenario: Scenario, cordon: Cordon
) -> None:
    cordon("instance", scenario.instance, "--case", "IR-7", "--region", REGION, "--dwell", "0")
    (run,) = cordon("case", "report", "--case", "IR-7", "--json").document["runs"]
    assert "dwell" in dict(run["options"])
    assert "snapshot" not in dict(run["options"])


def test_an_unknown_case_is_bad_input(scenario: Scenario, cordon: Cordon) -> None:
    assert cordon("case", "report", "--case", "IR-404").code == 2
