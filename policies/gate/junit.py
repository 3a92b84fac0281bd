"""The outcome as JUnit XML, which CI systems show as tests."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from policies.gate.ask import Verdict
from policies.gate.judge import Outcome
from policies.gate.show import Places

CONTROL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't hold."""


def junit(outcome: Outcome, where: Places) -> str:
    """One test suite a stack, one test a verdict; waived is skipped; faults are a suite."""
    root = Element("testsuites", name="compliance")
    verdicts = [*outcome.failed, *(verdict for verdict, _ in outcome.waived), *outcome.passed]
    reasons = {id(verdict): waiver.reason for verdict, waiver in outcome.waived}
    for stack in sorted({verdict.stack for verdict in verdicts}):
        tests = sorted(
            (v for v in verdicts if v.stack == stack), key=lambda v: (v.check, v.address)
        )
        suite = SubElement(root, "testsuite", name=stack)
        for verdict in tests:
            _test(suite, verdict, where.get((stack, verdict.address), ""), reasons)
        _count(suite)
    gate = SubElement(root, "testsuite", name="gate")
    for fault in outcome.faults or ("",):
        test = SubElement(gate, "testcase", classname="gate", name=_clean(fault) or "complete")
        if fault:
            SubElement(test, "failure", message=_clean(fault))
    _count(gate)
    return tostring(root, encoding="unicode", xml_declaration=True)


def _test(suite: Element, verdict: Verdict, location: str, reasons: dict[int, str]) -> None:
    file, _, line = location.rpartition(":")
    name = _clean(f"{verdict.check} {verdict.rule}")
    test = SubElement(suite, "testcase", classname=_clean(verdict.address), name=name)
    if line.isdigit():
        test.set("file", _clean(file))
        test.set("line", line)
    if id(verdict) in reasons:
        SubElement(test, "skipped", message=_clean(reasons[id(verdict)]))
    elif verdict.result == "failed":
        detail = "; ".join(verdict.details) or verdict.rule
        SubElement(test, "failure", message=_clean(f"{location}: {detail}"))


def _count(suite: Element) -> None:
    suite.set("tests", str(len(suite)))
    for kind in ("failure", "skipped"):
        name = "failures" if kind == "failure" else kind
        suite.set(name, str(len(suite.findall(f"testcase/{kind}"))))


def _clean(text: str) -> str:
    return CONTROL.sub("?", text)
