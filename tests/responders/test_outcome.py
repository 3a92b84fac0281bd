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


def test_an_unknown_case_is_bad_input(scenario: Scenario, cordon: Cordon) -> None:
    assert cordon("case", "report", "--case", "IR-404").code == 2
