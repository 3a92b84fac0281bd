"""The outcome as SARIF 2.1.0, which code hosts show beside the lines of the program."""

from __future__ import annotations

import json
from typing import Any

from contract import VERSION
from policies.gate.ask import Verdict
from policies.gate.judge import Outcome
from policies.gate.show import Places
from policies.gate.waivers import Waiver

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FAULT = "gate"
"""The rule id of what can't be believed about a run."""


def sarif(outcome: Outcome, where: Places) -> str:
    """Failures as errors, waived ones as suppressed, faults as errors of the rule `gate`."""
    results = [_result(verdict, where, None) for verdict in outcome.failed]
    results += [_result(verdict, where, waiver) for verdict, waiver in outcome.waived]
    results += [_fault(text) for text in outcome.faults]
    driver = {"name": "cordon-compliance", "version": VERSION, "rules": _rules(outcome)}
    run = {"tool": {"driver": driver}, "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _rules(outcome: Outcome) -> list[dict[str, Any]]:
    verdicts = [*outcome.failed, *(verdict for verdict, _ in outcome.waived)]
    known = {verdict.check: verdict for verdict in verdicts}
    rules = [_rule(known[check]) for check in sorted(known)]
    return [*rules, {"id": FAULT, "shortDescription": {"text": "Everything was judged"}}]


def _rule(verdict: Verdict) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": verdict.check, "shortDescription": {"text": verdict.rule}}
    return rule | ({"helpUri": verdict.guideline} if verdict.guideline else {})


def _result(verdict: Verdict, where: Places, waiver: Waiver | None) -> dict[str, Any]:
    detail = "; ".join(verdict.details) or verdict.rule
    result: dict[str, Any] = {
        "ruleId": verdict.check,
        "level": "error",
        "message": {"text": f"{verdict.address}: {detail}"},
        "locations": _locations(where.get((verdict.stack, verdict.address), "")),
    }
    if waiver is not None:
        accepted = {"kind": "external", "status": "accepted", "justification": waiver.reason}
        result["suppressions"] = [accepted]
    return result


def _fault(text: str) -> dict[str, Any]:
    location = _locations("policies/waivers.toml:1" if "waiver" in text else "")
    return {"ruleId": FAULT, "level": "error", "message": {"text": text}, "locations": location}


def _locations(location: str) -> list[dict[str, Any]]:
    file, _, line = location.rpartition(":")
    if not line.isdigit():
        return []
    physical: dict[str, Any] = {"artifactLocation": {"uri": file}}
    if int(line):
        physical["region"] = {"startLine": int(line)}
    return [{"physicalLocation": physical}]
