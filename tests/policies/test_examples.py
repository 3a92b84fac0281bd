"""Every policy has been seen to pass, to fail for the reason it gives, and to stay out of the rest.

The examples of a policy are in `examples/`, in a file of the same name: `GOOD`, a list of
programs; `BAD`, programs with what the policy says of them; `OTHER`, what it isn't about. All go
through the bridge to the real Checkov, in one run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.bridge.plan import plan
from policies.bridge.program import Stack
from policies.gate.__main__ import POLICIES, PYTHON
from policies.gate.ask import Report, Verdict, ask
from tests.policies.catalogue import ALL, NAMES, Example, module


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Checkov's report on all examples, each a stack of its own."""
    build = tmp_path_factory.mktemp("plans")
    files: dict[str, Path] = {}
    for example in ALL:
        files[example.stack] = build / f"{example.stack}.json"
        text = plan(Stack(example.stack, tuple(example.resources))).to_json()
        files[example.stack].write_text(text)
    return ask(files, POLICIES, build, PYTHON)


def verdicts(report: Report, example: Example) -> list[Verdict]:
    """What the example's own policy said."""
    [check] = report.registered[f"{example.policy}.py"]
    return [v for v in report.verdicts if v.stack == example.stack and v.check == check]


@pytest.mark.parametrize("example", [e for e in ALL if e.kind == "good"], ids=lambda e: e.stack)
def test_good_passes(report: Report, example: Example) -> None:
    found = verdicts(report, example)
    assert found
    assert [v for v in found if v.result != "passed"] == []


@pytest.mark.parametrize("example", [e for e in ALL if e.kind == "bad"], ids=lambda e: e.stack)
def test_bad_fails_for_the_reason_given(report: Report, example: Example) -> None:
    failed = [v for v in verdicts(report, example) if v.result == "failed"]
    assert failed
    assert example.said in "; ".join(text for verdict in failed for text in verdict.details)


@pytest.mark.parametrize("example", [e for e in ALL if e.kind == "other"], ids=lambda e: e.stack)
def test_what_a_policy_is_not_about_is_not_judged(report: Report, example: Example) -> None:
    assert verdicts(report, example) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_has_been_seen_to_pass_and_to_fail(name: str) -> None:
    assert module(name).GOOD
    assert module(name).BAD


def test_references_reach_checkovs_graph_checks(report: Report) -> None:
    """CKV2_AWS_6, built in, asks whether a bucket has a public access block: it is a connection."""

    def said(stack: str) -> set[str]:
        found = [v for v in report.verdicts if v.stack == stack and v.check == "CKV2_AWS_6"]
        return {verdict.result for verdict in found}

    assert said("vault_not_public-good-0") == {"passed"}
    assert said("vault_not_public-bad-0") == {"failed"}


def test_checkov_said_nothing_else(report: Report) -> None:
    assert report.errors == ()
    assert report.parsing_errors == ()
    assert sorted(report.registered) == [f"{name}.py" for name in NAMES]
