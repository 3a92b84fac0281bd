"""The hunt that `cordon key` ends with, and the one report of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from responders.aws import Access, explain
from responders.errors import CordonError
from responders.hunt import ask
from responders.hunt.chase import Tell
from responders.hunt.command import HuntRequest, report
from responders.hunt.findings import Findings
from responders.json_values import Json
from responders.outcome import CONTAINED, DONE, INCOMPLETE, INTERRUPTED, OPEN_LEADS, Report


def hunt_key(
    contained: Report, access: Access, responder: str, tell: Tell
) -> tuple[Report, tuple[Report, Findings] | None]:
    """Hunts for what the key did, in the same case: both in one report, and the hunt by itself.

    The hunt never makes the outcome better: an exit code other than 0 stays, and a hunt that is not
    complete makes 0 a 3. So does an open lead that can act by itself: the key is contained then,
    and the attacker is not, which the outcome `open-leads` says. A hunt that can't begin is told in
    the report, and not raised.
    """
    request = HuntRequest(ask.key(contained.target), access, contained.case, responder)
    try:
        hunted, findings = report(request, tell)
    except Exception as error:
        reason = error.message if isinstance(error, CordonError) else explain(error)
        gap = f"the hunt failed: {reason}; try `cordon hunt --key {contained.target}`"
        # `open` is empty here because nobody looked, which `complete` says.
        return _joined(
            contained, INCOMPLETE, {"complete": False, "gaps": [gap], "open": []}, [gap]
        ), None
    gaps = list(findings.gaps)
    if not hunted.evidence.complete:
        gaps.append(f"the hunt's evidence: {hunted.evidence.trouble}")
    code = hunted.exit_code
    if findings.acting:
        code = code or INCOMPLETE
        if contained.outcome in CONTAINED:
            contained = replace(contained, outcome=OPEN_LEADS)
    # What is still open comes last in the document too, where nobody misses it.
    members = {"hunt_run": hunted.run, **hunted.extra}
    members["open"] = members.pop("open")
    return _joined(contained, code, members, gaps), (hunted, findings)


def is_worthwhile(contained: Report) -> bool:
    """Whether to hunt now: after every containment, also a failed one, unless interrupted."""
    return contained.outcome != "planned" and contained.exit_code != INTERRUPTED


def _joined(contained: Report, code: int, members: Mapping[str, Json], gaps: list[str]) -> Report:
    keeps_code = contained.exit_code != DONE and code != INTERRUPTED
    return replace(
        contained,
        exit_code=contained.exit_code if keeps_code else code,
        not_hunted="",
        extra=members,
        residual_risks=[*contained.residual_risks, *(f"hunt: {gap}" for gap in gaps)],
    )
