"""Builds CloudTrail records as AWS writes them, and a source that has them in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from responders.hunt.lead import Lead
from responders.hunt.source import Page, Window

ACCOUNT = "111122223333"
OUTSIDE = "444455556666"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WINDOW = Window(START - timedelta(days=1), START + timedelta(days=30))
LEAKED = "AKIAI44QH8DHBEXAMPLE"

_numbers = itertools.count(1)


def arn(resource: str, service: str = "iam", account: str = ACCOUNT) -> str:
    """An ARN in the account."""
    return f"arn:aws:{service}::{account}:{resource}"


def by_user(name: str = "alice", key: str = LEAKED, **more: Any) -> dict[str, Any]:
    """`userIdentity` of a user."""
    return {
        "type": "IAMUser",
        "principalId": f"AIDA{name.upper()}",
        "arn": arn(f"user/{name}"),
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "userName": name,
        **more,
    }


def by_session(role: str, session: str, key: str, **more: Any) -> dict[str, Any]:
    """`userIdentity` of a role's session."""
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{role.upper()}:{session}",
        "arn": arn(f"assumed-role/{role}/{session}", "sts"),
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "arn": arn(f"role/{role}"),
                "accountId": ACCOUNT,
                "userName": role,
            }
        },
        **more,
    }


def record(
    call: str,
    identity: Mapping[str, Any] | None = None,
    *,
    at: float = 0,
    region: str = "us-east-1",
    request: Any = None,
    response: Any = None,
    error: str = "",
    read: bool | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One record of `service:Event`, `at` minutes after `START`."""
    service, name = call.split(":")
    if read is None:
        read = name.startswith(("Get", "List", "Describe", "Assume"))
    made = {
        "eventVersion": "1.11",
        "eventID": f"00000000-0000-0000-0000-{next(_numbers):012}",
        "eventTime": (START + timedelta(minutes=at)).isoformat().replace("+00:00", "Z"),
        "eventName": name,
        "eventSource": f"{service}.amazonaws.com",
        "awsRegion": region,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2",
        "userIdentity": dict(by_user() if identity is None else identity),
        "requestParameters": request,
        "responseElements": response,
        "readOnly": read,
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
        **more,
    }
    if error:
        made["errorCode"] = error
    return made


def minted(key: str, **more: Any) -> dict[str, Any]:
    """The answer of an STS call."""
    return {
        "credentials": {
            "accessKeyId": key,
            "sessionToken": "example",
            "expiration": "Mar 1, 2026, 1:00:00 PM",
        },
        **more,
    }


@dataclass
class FakeSource:
    """An `EventSource` over records by place; finds by attribute, as `LookupEvents` does."""

    records: dict[str, list[dict[str, Any]]]
    page: int = 2
    failing: dict[str, Exception] = field(default_factory=dict)
    searched: list[tuple[str, str]] = field(default_factory=list)

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(self.records)

    def search(self, place: str, leads: Sequence[Lead], window: Window) -> Iterator[Page]:
        if place in self.failing:
            raise self.failing[place]
        for lead in leads:
            self.searched.append((place, lead.subject.value))
            for attribute, value in lead.subject.lookups:
                found = [r for r in self.records[place] if _matches(r, attribute, value)]
                newest_first = sorted(found, key=lambda r: r["eventTime"], reverse=True)
                for at in range(0, len(newest_first), self.page):
                    yield newest_first[at : at + self.page]


def _matches(one: Mapping[str, Any], attribute: str, value: str) -> bool:
    who = one["userIdentity"]
    match attribute:
        case "AccessKeyId":
            return who.get("accessKeyId") == value
        case "Username":
            name = who.get("userName") or who.get("arn", "").rpartition("/")[2]
            return name == value or (value == "root" and who["type"] == "Root")
        case "ResourceName":
            return value in str(one.get("requestParameters"))
        case "EventName":
            return one["eventName"] == value
        case "ReadOnly":
            return str(one["readOnly"]).lower() == value
    raise AssertionError(attribute)
