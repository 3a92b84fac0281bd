"""What became of a case's support case: the one in its record, or the one with its subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from responders.aws import Aws
from responders.errors import BadInput, Incomplete
from responders.record.case import Case
from responders.support import cases
from responders.support.text import subject_of

if TYPE_CHECKING:
    from types_boto3_support.type_defs import CaseDetailsTypeDef, CommunicationTypeDef

STEP = "open-support-case"


class Shown(TypedDict):
    """A support case as people and the JSON document see it. Texts; `messages` oldest first."""

    outcome: str
    number: str
    id: str
    status: str
    severity: str
    subject: str
    opened: str
    messages: list[dict[str, str]]


def show(aws: Aws, case_id: str) -> Shown:
    """Its number, state and newest messages (the oldest first); BadInput when there is none."""
    try:
        support_case = _support_case(aws, case_id)
    except Exception as error:
        if not cases.is_without_plan(error):
            raise
        raise Incomplete(
            "the account's support plan has no API, so AWS does not tell",
            f"Look at the Support Center: {cases.console(aws)}",
        ) from error
    messages = support_case.get("recentCommunications", {}).get("communications", ())
    return {
        "outcome": str(support_case["status"]),
        "number": str(support_case.get("displayId", "")),
        "id": str(support_case["caseId"]),
        "status": str(support_case["status"]),
        "severity": str(support_case.get("severityCode", "")),
        "subject": str(support_case["subject"]),
        "opened": str(support_case.get("timeCreated", "")),
        "messages": sorted((_message(m) for m in messages), key=lambda m: m["at"]),
    }


def _support_case(aws: Aws, case_id: str) -> CaseDetailsTypeDef:
    known = _recorded(case_id)
    if not known:
        subject = subject_of(case_id, aws.identity.account)
        known = str((cases.find(aws, subject, resolved=True) or {}).get("caseId", ""))
    if not known:
        raise BadInput(
            f"case {case_id} has no support case", f"`cordon support open --case {case_id}`"
        )
    return cases.read(aws, known)


def _recorded(case_id: str) -> str:
    """AWS's id in the newest entry that has one; the empty string when none has."""
    for run in reversed(Case(case_id).runs()):
        for entry in reversed(run.entries):
            if entry.kind == "result" and entry.step == STEP:
                for state in (entry.body.get("now") or {}).values():
                    if state:
                        return str(state["id"])
    return ""


def _message(message: CommunicationTypeDef) -> dict[str, str]:
    return {
        "at": str(message.get("timeCreated", "")),
        "by": str(message.get("submittedBy", "")),
        "body": str(message.get("body", "")),
    }
