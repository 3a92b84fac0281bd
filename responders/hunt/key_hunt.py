"""The hunt that `cordon key` ends with, and the one report of both."""

from __future__ import annotations

from dataclasses import replace

from responders.aws import Access, explain
from responders.errors import CordonError
from responders.hunt import ask
from responders.hunt.chase import Tell
from responders.hunt.command import HuntRequest, report
from responders.hunt.findings import Findings
from responders.outcome import DONE, INCOMPLETE, INTERRUPTED, Report


def hunt_key(
    contained: Report, access: Access, responder: str, tell: Tell
) -> tuple[Report, tuple[Report, Findings] | None]:
    """Hunts for what the key did, in the same case: both in one report, and the hunt by itself.

    The hunt never makes the outcome better: an exit code other than 0 stays, and a hunt that is not
    complete makes 0 a 3. A hunt that can't begin is told in the report, and not raised.
    """
    request = HuntRequest(ask.key(contained.target), access, contained.case, responder)
    try:
        hunted, findings = report(request, tell)
    except Exception as error:
        told = error.message if isinstance(error, CordonError) else explain(error)
        gap = f"the hunt failed: {told}; try `cordon hunt --key {contained.target}`"
        return _joined(contained, INCOMPLETE, {"complete": False, "gaps": [gap]}, [gap]), None
    gaps = [*findings.gaps]
    if not hunted.evidence.complete:
        gaps.append(f"the hunt's evidence: {hunted.evidence.trouble}")
    extra = {"hunt_run": hunted.run, **hunted.extra}
    return _joined(contained, hunted.exit_code, extra, gaps), (hunted, findings)


def is_worthwhile(contained: Report) -> bool:
    """Whether to hunt now: after every containment, also a failed one, unless interrupted."""
    return contained.outcome != "planned" and contained.exit_code != INTERRUPTED


def _joined(contained: Report, code: int, extra: dict[str, object], gaps: list[str]) -> Report:
    return replace(
        contained,
        exit_code=code
        if contained.exit_code == DONE or code == INTERRUPTED
        else contained.exit_code,
        extra=extra,
        residual_risks=[*contained.residual_risks, *(f"hunt: {gap}" for gap in gaps)],
    )
