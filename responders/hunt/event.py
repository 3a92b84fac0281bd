"""One CloudTrail record, read: who called what, where, with which credentials.

Shapes: CloudTrail user guide, "CloudTrail record contents" and "userIdentity element". Every value
in a record may have been chosen by an attacker; a record that lacks what it must have is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from responders.hunt.paths import member, pick, text, texts
from responders.json_values import Json

Record = Mapping[str, Json]
"""A record as CloudTrail writes it."""
Attribute = tuple[str, str]
"""A lookup attribute of `LookupEvents` and its value, such as ("AccessKeyId", "AKIA…")."""


@dataclass(frozen=True, slots=True)
class Event:
    """`time` is UTC; `error` is empty when the call succeeded; absent texts are empty.

    `username` is what `LookupEvents` matches as `Username`: the user's, or the session's name.
    `account` is the caller's, `recipient` the one that the record was written for. `category` is
    Management, Data, NetworkActivity or Insight. An addendum, which CloudTrail delivers when a
    record was late or lacked something, has the id of the event that it is about.
    """

    id: str
    time: datetime
    name: str
    source: str
    region: str
    error: str
    key: str
    arn: str
    kind: str
    account: str
    recipient: str
    username: str
    issuer: str
    invoked_by: str
    ip: str
    agent: str
    read_only: bool
    from_console: bool
    category: str
    is_addendum: bool
    record: Record

    @property
    def service(self) -> str:
        """The source without its domain, such as `ec2`."""
        return self.source.partition(".")[0]

    @property
    def request(self) -> Json:
        """The request's parameters; None where the record has none."""
        return self.record.get("requestParameters")

    @property
    def response(self) -> Json:
        """The answer; None where the record has none (CloudTrail drops what is too long)."""
        return self.record.get("responseElements")

    def texts(self, path: str) -> list[str]:
        """Texts at `request.…`, `response.…` or another member of the record."""
        head, _, rest = path.partition(".")
        start = {"request": self.request, "response": self.response}.get(head)
        return texts(start, rest) if head in ("request", "response") else texts(self.record, path)

    def text(self, path: str) -> str:
        """The first of `texts`, or the empty string."""
        return next(iter(self.texts(path)), "")

    def picks(self, path: str) -> list[Json]:
        """Whatever stands at `request.…` or `response.…`."""
        head, _, rest = path.partition(".")
        return pick({"request": self.request, "response": self.response}.get(head), rest)

    def either(self, member: str) -> list[str]:
        """Texts of a member at any depth of the request, then of the answer, each once.

        The member's first letter may be of either case: EC2's newer operations keep the API's.
        A list of texts, or one wrapped in `items`, counts as its texts.
        """
        names = (member, member[:1].upper() + member[1:])
        sides = (self.request, self.response)
        paths = [f"..{name}{tail}" for name in names for tail in ("", ".*", ".items.*")]
        return list(dict.fromkeys(t for side in sides for p in paths for t in texts(side, p)))

    def has(self, member: str) -> bool:
        """Whether the request has a member, even one whose value CloudTrail hides."""
        names = (member, member[:1].upper() + member[1:])
        return isinstance(self.request, Mapping) and any(name in self.request for name in names)

    @property
    def by_bearer_token(self) -> bool:
        """Whether a bearer token signed the call, and no access key."""
        return "true" in [t.lower() for t in self.texts("additionalEventData.callWithBearerToken")]

    @property
    def role(self) -> str:
        """ARN of the role that an STS event is about (as asked for), or the empty string."""
        return self.text("request.roleArn") if self.source.startswith("sts.") else ""

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The lookups, of those that a hunt makes, that would find this event."""
        pairs = [
            ("AccessKeyId", self.key),
            ("Username", self.username),
            ("ResourceName", self.role),
        ]
        read_only = ("ReadOnly", "true" if self.read_only else "false")
        return (*(p for p in pairs if p[1]), ("EventName", self.name), read_only)


def read_event(record: Record) -> Event:
    """Reads a record; ValueError when it is none."""
    identity = record.get("userIdentity")
    identity = identity if isinstance(identity, Mapping) else {}
    arn = member(identity, "arn")
    kind = member(identity, "type")
    category = member(record, "eventCategory")
    # An Insights event is about calls of some name, and names them in a part of its own.
    names = record.get("insightDetails") if category == "Insight" else record
    names = names if isinstance(names, Mapping) else {}
    return Event(
        id=text(record, "addendum.originalEventID") or _needed(record, "eventID"),
        time=_time(_needed(record, "eventTime")),
        name=_needed(names, "eventName"),
        source=_needed(names, "eventSource"),
        region=_needed(record, "awsRegion"),
        error=_error(record),
        key=member(identity, "accessKeyId"),
        arn=arn,
        kind=kind,
        account=member(identity, "accountId"),
        recipient=member(record, "recipientAccountId"),
        username=_username(identity, kind, arn),
        issuer=text(identity, "sessionContext.sessionIssuer.arn"),
        invoked_by=member(identity, "invokedBy"),
        ip=member(record, "sourceIPAddress"),
        agent=member(record, "userAgent"),
        read_only=record.get("readOnly") in (True, "true"),
        from_console=record.get("sessionCredentialFromConsole") in (True, "true"),
        category=category,
        is_addendum="addendum" in record,
        record=record,
    )


def _needed(record: Record, name: str) -> str:
    value = member(record, name)
    if not value:
        raise ValueError(f"a CloudTrail record without {name}")
    return value


def _time(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _error(record: Record) -> str:
    """The error code; a failed sign-in has none (CloudTrail user guide, "sign-in events")."""
    if code := member(record, "errorCode"):
        return code
    if text(record, "responseElements.ConsoleLogin") == "Failure":
        return member(record, "errorMessage") or "Failure"
    return ""


def _username(identity: Mapping[str, Json], kind: str, arn: str) -> str:
    if kind == "Root":
        return "root"
    if kind in ("AssumedRole", "FederatedUser"):
        return arn.rpartition("/")[2]
    return member(identity, "userName")
