"""What is still open when a hunt ends: what a thief could still use, the worst first.

Each entry has its state as AWS tells it now, and one command. The list is made for people, and for
the commands that act on it: what they need is in the entry, none of it has to be looked up again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from responders.hunt.lead import Confidence
from responders.json_values import JsonObject


class Severity(StrEnum):
    """How much harm an open lead can do now. `CRITICAL` and `HIGH` can act by themselves."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class LeadKind(StrEnum):
    """What is open; the order is the order of the list within one severity."""

    MACHINE = "machine"
    KEY = "key"
    ROLE_TRUST = "role-trust"
    USER = "user"
    PASSWORD = "password"  # noqa: S105, a word and no secret
    SESSION = "session"
    ROLE = "role"
    IDENTITY_PROVIDER = "identity-provider"
    FUNCTION = "function"
    WORKLOAD = "workload"
    SHARE = "share"
    LOGGING = "logging"
    RESOURCE = "resource"


@dataclass(frozen=True)
class OpenLead:
    """One thing that is still open.

    `kind` is a `LeadKind`, `severity` a `Severity`, both as words; `type` CloudFormation's name of
    the type, empty for sessions. `owner` is whom it belongs to (a key's user), `since` when it came
    to be (UTC, ISO 8601), `by` the ARN that did it. `state` is AWS's word now, or says why it is
    not known. `command` is empty where there is none. `confidence` is `possible` when somebody else
    may have done it as well.
    """

    kind: str
    type: str
    id: str
    account: str
    region: str
    state: str
    severity: str
    command: str
    since: str
    by: str
    event: str = ""
    name: str = ""
    owner: str = ""
    address: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    shared_with: tuple[str, ...] = ()
    confidence: str = Confidence.CERTAIN.value

    @property
    def acts(self) -> bool:
        """Whether it can do harm by itself, until somebody contains it."""
        return self.severity in (Severity.CRITICAL, Severity.HIGH)

    def as_json(self) -> JsonObject:
        """Members for the JSON document; the same names."""
        return asdict(self)
