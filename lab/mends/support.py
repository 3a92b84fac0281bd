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

from lab.backends import shelf
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.identity import identity_of, now

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
    parameters, created = call.params, now()
    _check(
        parameters.get("serviceCode"),
        parameters.get("categoryCode"),
        parameters.get("severityCode"),
    )
    number = len(_cases(call)) + 1
    case_id = f"case-{call.account}-{created.year}-{number:016x}"
    message = {
        "caseId": case_id,
        "body": parameters["communicationBody"],
        "submittedBy": identity_of(call).arn,
        "timeCreated": _stamp(created),
        "attachmentSet": [],
    }
    _cases(call)[case_id] = {
        "caseId": case_id,
        "displayId": f"{created:%y%m%d}{number:09}",
        "subject": parameters["subject"],
        "status": "unassigned",
        "serviceCode": parameters["serviceCode"],
        "categoryCode": parameters["categoryCode"],
        "severityCode": parameters["severityCode"],
        "submittedBy": identity_of(call).arn,
        "timeCreated": _stamp(created),
        "recentCommunications": {"communications": [message]},
        "ccEmailAddresses": list(parameters.get("ccEmailAddresses", [])),
        "language": parameters.get("language", "en"),
    }
    return {"caseId": case_id}


def _stamp(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _check(service: Any, category: Any, severity: Any) -> None:
    categories = {s["code"]: {c["code"] for c in s["categories"]} for s in SERVICES}
    if category not in categories.get(service, ()):
        raise AwsError("ValidationException", f"Invalid service or category: {service} {category}")
    if severity not in {s["code"] for s in SEVERITIES}:
        raise AwsError("ValidationException", f"Invalid severity code: {severity}")


def _describe(call: Call) -> dict[str, Any]:
    parameters, stored = call.params, _cases(call)
    if unknown := set(parameters.get("caseIdList", ())) - set(stored):
        raise AwsError("CaseIdNotFound", f"No case was found: {', '.join(sorted(unknown))}")
    ids = parameters.get("caseIdList") or list(stored)
    cases = [
        stored[case]
        for case in reversed(ids)
        if parameters.get("includeResolvedCases") or stored[case]["status"] != "resolved"
    ]
    if not parameters.get("includeCommunications", True):
        cases = [{k: v for k, v in c.items() if k != "recentCommunications"} for c in cases]
    start = int(parameters.get("nextToken", "0"))
    end = start + int(parameters.get("maxResults", _PAGE))
    next_page = {"nextToken": str(end)} if end < len(cases) else {}
    return {"cases": cases[start:end], **next_page}


def _resolve(call: Call) -> dict[str, Any]:
    case = _cases(call).get(call.params.get("caseId", ""))
    if case is None:
        raise AwsError("CaseIdNotFound", "No case was found.")
    before, case["status"] = case["status"], "resolved"
    return {"initialCaseStatus": before, "finalCaseStatus": "resolved"}
