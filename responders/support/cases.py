"""AWS Support: the endpoints tried in turn, what a case may be about, and cases found again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from responders.action import Subject
from responders.aws import Aws, code_of, explain
from responders.errors import BadInput, NotContained
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_support import SupportClient
    from types_boto3_support.type_defs import CaseDetailsTypeDef

T = TypeVar("T")

PERMISSIONS = (
    allow(
        "support:DescribeServices",
        "support:DescribeSeverityLevels",
        "support:DescribeCases",
        because="chooses what a support case is about, and finds it again",
        risk="can read the account's support cases",
    ),
)

ENDPOINTS = {
    "aws": ("us-east-1", "us-west-2", "eu-west-1"),
    "aws-cn": ("cn-north-1",),
    "aws-us-gov": ("us-gov-west-1",),
}
"""Regions with an endpoint that serves a whole account, by partition (AWS general reference,
"AWS Support endpoints"); in others the caller's own region is tried."""
CONSOLES = {
    "aws": "https://support.console.aws.amazon.com/support/home#/case/create",
    "aws-cn": "https://console.amazonaws.cn/support/home#/case/create",
    "aws-us-gov": "https://console.amazonaws-us-gov.com/support/home#/case/create",
}
NO_PLAN = "SubscriptionRequiredException"
PREFERRED = (
    ("customer-account", "other-account-issues"),
    ("general-info", "using-aws"),
)
"""Service and category for an incident, the best first; else the first that there is."""
ACCOUNT_SERVICE = "customer-account"
"""Cases about it are of the kind `customer-service`, which needs no technical plan."""
SEVERITIES = ("urgent", "high", "normal", "low")
"""The best first: `critical` is for a business that stands still, and only on the dearest plans."""


class SupportCase(Subject):
    """The support case of a case: AWS keeps it for the whole account."""


@dataclass(frozen=True)
class About:
    """What a support case is about, in AWS's codes."""

    service: str
    category: str
    severity: str

    @property
    def kind(self) -> str:
        """AWS's issue type."""
        return "customer-service" if self.service == ACCOUNT_SERVICE else "technical"


class Unreachable(NotContained):
    """No endpoint of AWS Support answered; the message tells of each."""


def endpoints(aws: Aws) -> tuple[str, ...]:
    """The regions to try, in order."""
    return ENDPOINTS.get(aws.identity.partition, (aws.home_region,))


def console(aws: Aws) -> str:
    """Where a person opens a case."""
    return CONSOLES.get(aws.identity.partition, "the Support Center of the AWS console")


def ask(aws: Aws, question: Callable[[SupportClient], T]) -> T:
    """The answer of the first endpoint that answers; `Unreachable` when none does."""
    failures = []
    for region in endpoints(aws):
        try:
            # Two attempts only: the next region is the better third one, and somebody waits.
            return question(aws.client("support", region, attempts=2, own_endpoint=True))
        except Exception as error:
            if not is_unreachable(error):
                raise
            failures.append(f"{region}: {explain(error)}")
    raise unreachable(aws, failures)


def unreachable(aws: Aws, failures: list[str]) -> Unreachable:
    """What to raise when every endpoint failed, each in its own way."""
    return Unreachable(
        f"AWS Support can't be reached: {'; '.join(failures)}", f"Use {console(aws)}."
    )


def is_unreachable(error: Exception) -> bool:
    """Whether another endpoint may still answer, or none did: it was silent, or failed by itself.

    AWS's own refusals would be the same everywhere.
    """
    if isinstance(error, Unreachable):
        return True
    response = getattr(error, "response", None) or {}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    silent = not code_of(error) and type(error).__module__.startswith("botocore")
    return silent or status >= 500


def is_without_plan(error: Exception) -> bool:
    """Whether the account's plan has no Support API."""
    return code_of(error) == NO_PLAN


def choose(aws: Aws, service: str = "", category: str = "", severity: str = "") -> About:
    """What the case is about: as wished, else the best for an incident that the plan offers.

    BadInput for a code that AWS does not know, with those that it knows.
    """
    services = ask(aws, lambda s: s.describe_services(language="en")["services"])
    levels = ask(aws, lambda s: s.describe_severity_levels(language="en")["severityLevels"])
    categories = {str(s["code"]): [str(c["code"]) for c in s["categories"]] for s in services}
    if not categories or not levels:
        raise NotContained("AWS Support names no services or severities", f"Use {console(aws)}.")
    chosen_service, chosen_category = _topic(categories, service, category)
    known = [str(level["code"]) for level in levels]
    best = next((s for s in SEVERITIES if s in known), known[0])
    return About(
        chosen_service, chosen_category, _known("severity", severity, known) if severity else best
    )


def _topic(categories: Mapping[str, list[str]], service: str, category: str) -> tuple[str, str]:
    if not service:
        offered = [(s, c) for s, c in PREFERRED if c in categories.get(s, ())]
        offered += [(s, c) for s, cs in categories.items() for c in cs]
        if not category:
            return offered[0]
        service = offered[0][0]
    codes = categories[_known("service", service, list(categories))]
    return service, _known("category", category, codes) if category else codes[0]


def _known(kind: str, code: str, codes: list[str]) -> str:
    if code in codes:
        return code
    raise BadInput(f"AWS Support has no {kind} {code!r}", f"Give one of: {', '.join(codes)}.")


def find(aws: Aws, subject: str, *, resolved: bool = False) -> CaseDetailsTypeDef | None:
    """The newest open support case of this subject, or also `resolved` ones; None without any."""

    def look(support: SupportClient) -> CaseDetailsTypeDef | None:
        pages = support.get_paginator("describe_cases").paginate(
            includeResolvedCases=resolved, includeCommunications=False, language="en"
        )
        matching = [c for page in pages for c in page["cases"] if c.get("subject") == subject]
        return max(matching, key=lambda c: str(c.get("timeCreated", "")), default=None)

    return ask(aws, look)


def read(aws: Aws, case: str) -> CaseDetailsTypeDef:
    """One support case, by AWS's id, with its newest communications."""
    answer = ask(
        aws, lambda s: s.describe_cases(caseIdList=[case], includeResolvedCases=True, language="en")
    )
    return answer["cases"][0]
