"""AWS Support: services, severities, and cases that every endpoint of the account shows alike.

Moto has no services and no severities, lets each case drift through states and severities whenever
it is looked at, and keeps them per region. (AWS Support API: DescribeServices,
DescribeSeverityLevels, CreateCase, DescribeCases; case data is the same at us-east-1, us-west-2 and
eu-west-1. The error of an account without a plan is `SubscriptionRequiredException`: order it as a
fault.) The services here are a few of AWS's.
"""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend

from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.identity import identity_of, now
from lab.mends.backends import shelf

SERVICES: tuple[dict[str, Any], ...] = (
    {
        "code": "amazon-elastic-compute-cloud-linux",
        "name": "Elastic Compute Cloud (EC2 - Linux)",
        "categories": [
            {"code": "general-guidance", "name": "General Guidance"},
            {"code": "instance-issue", "name": "Instance Issue"},
        ],
    },
    {
        "code": "customer-account",
        "name": "Account",
        "categories": [
            {"code": "other-account-issues", "name": "Other Account Issues"},
            {"code": "sign-in", "name": "Sign in"},
        ],
    },
    {
        "code": "general-info",
        "name": "General Info and Getting Started",
        "categories": [{"code": "using-aws", "name": "Using AWS & Services"}],
    },
)
SEVERITIES = (
    {"code": "low", "name": "General guidance"},
    {"code": "normal", "name": "System impaired"},
    {"code": "high", "name": "Production system impaired"},
    {"code": "urgent", "name": "Production system down"},
    {"code": "critical", "name": "Business-critical system down"},
)
_PAGE = 10


def mend() -> None:
    """Answers the operations that `cordon support` uses, and ResolveCase."""
    answer("support", "DescribeServices")(lambda call: {"services": list(SERVICES)})
    answer("support", "DescribeSeverityLevels")(lambda call: {"severityLevels": list(SEVERITIES)})
    answer("support", "CreateCase")(_create)
    answer("support", "DescribeCases")(_describe)
    answer("support", "ResolveCase")(_resolve)


def _cases(call: Call) -> dict[str, dict[str, Any]]:
    """The account's cases by id, the oldest first."""
    backends: Any = get_backend("support")
    return shelf(backends[call.account]["us-east-1"], "cases", dict[str, dict[str, Any]])


def _create(call: Call) -> dict[str, Any]:
    asked, made = call.params, now()
    _check(asked.get("serviceCode"), asked.get("categoryCode"), asked.get("severityCode"))
    number = len(_cases(call)) + 1
    case = f"case-{call.account}-{made.year}-{number:016x}"
    told = {
        "caseId": case,
        "body": asked["communicationBody"],
        "submittedBy": identity_of(call).arn,
        "timeCreated": _stamp(made),
        "attachmentSet": [],
    }
    _cases(call)[case] = {
        "caseId": case,
        "displayId": f"{made:%y%m%d}{number:09}",
        "subject": asked["subject"],
        "status": "unassigned",
        "serviceCode": asked["serviceCode"],
        "categoryCode": asked["categoryCode"],
        "severityCode": asked["severityCode"],
        "submittedBy": identity_of(call).arn,
        "timeCreated": _stamp(made),
        "recentCommunications": {"communications": [told]},
        "ccEmailAddresses": list(asked.get("ccEmailAddresses", [])),
        "language": asked.get("language", "en"),
    }
    return {"caseId": case}


def _stamp(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _check(service: Any, category: Any, severity: Any) -> None:
    categories = {s["code"]: {c["code"] for c in s["categories"]} for s in SERVICES}
    if category not in categories.get(service, ()):
        raise AwsError("ValidationException", f"Invalid service or category: {service} {category}")
    if severity not in {s["code"] for s in SEVERITIES}:
        raise AwsError("ValidationException", f"Invalid severity code: {severity}")


def _describe(call: Call) -> dict[str, Any]:
    asked, held = call.params, _cases(call)
    if unknown := set(asked.get("caseIdList", ())) - set(held):
        raise AwsError("CaseIdNotFound", f"No case was found: {', '.join(sorted(unknown))}")
    wanted = asked.get("caseIdList") or list(held)
    found = [
        held[case]
        for case in reversed(wanted)
        if asked.get("includeResolvedCases") or held[case]["status"] != "resolved"
    ]
    if not asked.get("includeCommunications", True):
        found = [{k: v for k, v in c.items() if k != "recentCommunications"} for c in found]
    start = int(asked.get("nextToken", "0"))
    end = start + int(asked.get("maxResults", _PAGE))
    more = {"nextToken": str(end)} if end < len(found) else {}
    return {"cases": found[start:end], **more}


def _resolve(call: Call) -> dict[str, Any]:
    case = _cases(call).get(call.params.get("caseId", ""))
    if case is None:
        raise AwsError("CaseIdNotFound", "No case was found.")
    before, case["status"] = case["status"], "resolved"
    return {"initialCaseStatus": before, "finalCaseStatus": "resolved"}
