"""Whom a hunt is after: a key, a principal, or what a followed event gave out.

Each subject says which lookups find its events (`LookupEvents` takes one attribute a call) and
which events are its own: a lookup by name also finds others' that bear the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Protocol

from responders.hunt.event import Attribute, Event

FORWARDED_FOR = timedelta(days=1)
"""How long after a call its service may still act in the caller's name (forward access)."""


class Subject(Protocol):
    """What is looked for. Equal subjects are followed once."""

    @property
    def kind(self) -> str:
        """A word for the JSON document."""

    @property
    def value(self) -> str:
        """The id, ARN or name."""

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """Lookups that together find every event of this subject."""

    def claims(self, event: Event) -> bool:
        """Whether an event that a lookup found is this subject's own."""


@dataclass(frozen=True)
class Key:
    """An access key, long-term (AKIA) or temporary (ASIA)."""

    value: str
    kind = "key"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the key's id."""
        return (("AccessKeyId", self.value),)

    def claims(self, event: Event) -> bool:
        """What was signed with it; also what services did in its name."""
        return event.key == self.value


@dataclass(frozen=True)
class User:
    """An IAM user, by ARN: whatever credentials it used."""

    value: str
    kind = "user"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the plain name."""
        return (("Username", self.value.rpartition("/")[2]),)

    def claims(self, event: Event) -> bool:
        """By ARN; a failed sign-in has no ARN, but the name."""
        if event.arn:
            return event.arn == self.value
        return event.kind == "IAMUser" and event.username == self.value.rpartition("/")[2]


@dataclass(frozen=True)
class Root:
    """The account's root user, by ARN."""

    value: str
    kind = "root"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """CloudTrail names it `root`."""
        return (("Username", "root"),)

    def claims(self, event: Event) -> bool:
        """By kind and ARN: users may be called root, too."""
        return event.kind == "Root" and event.arn in ("", self.value)


@dataclass(frozen=True)
class Role:
    """A role, by ARN: who assumed it. Its sessions are then followed one by one."""

    value: str
    kind = "role"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the role as a resource of STS events."""
        return (("ResourceName", self.value),)

    def claims(self, event: Event) -> bool:
        """Only its assumptions: what it does is claimed by its sessions."""
        return event.role == self.value and event.name.startswith("Assume")


@dataclass(frozen=True)
class Backdoor:
    """A role whose trust was changed: its assumptions from outside the account."""

    value: str
    account: str
    kind = "role-trust"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the role as a resource of STS events."""
        return (("ResourceName", self.value),)

    def claims(self, event: Event) -> bool:
        """An assumption by a caller that is neither of this account nor an AWS service."""
        assumed = event.role == self.value and event.name.startswith("Assume")
        return assumed and event.kind != "AWSService" and event.account != self.account


@dataclass(frozen=True)
class Session:
    """A role's sessions of one name, by ARN `…:assumed-role/<role>/<session>`."""

    value: str
    kind = "session"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the session's name."""
        return (("Username", self.value.rpartition("/")[2]),)

    def claims(self, event: Event) -> bool:
        """By ARN, since other roles may have sessions of the same name."""
        return event.arn == self.value


@dataclass(frozen=True)
class Host:
    """A machine, function or task with a role: AWS names its role's sessions after it."""

    value: str
    kind = "host"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the session's name."""
        return (("Username", self.value),)

    def claims(self, event: Event) -> bool:
        """Sessions of that name, of whichever role it has."""
        return event.kind == "AssumedRole" and event.username == self.value


@dataclass(frozen=True)
class Console:
    """A principal's console sessions, by the principal's ARN: the console makes its own keys."""

    value: str
    kind = "console"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the user's or session's name."""
        return (("Username", self.value.rpartition("/")[2]),)

    def claims(self, event: Event) -> bool:
        """Sign-ins, and what was done with a key that the console made."""
        signed_in = event.from_console or event.source.startswith("signin.")
        if not event.arn:
            name = self.value.rpartition("/")[2]
            return signed_in and event.kind == "IAMUser" and event.username == name
        return signed_in and event.arn == self.value


@dataclass(frozen=True)
class BearerToken:
    """A user's long-term API key, such as Bedrock's, by the user's ARN: its calls name no key."""

    value: str
    kind = "bearer-token"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the user's plain name."""
        return (("Username", self.value.rpartition("/")[2]),)

    def claims(self, event: Event) -> bool:
        """The user's calls that a bearer token signed (Bedrock user guide, "API keys")."""
        return event.arn == self.value and event.by_bearer_token


@dataclass(frozen=True)
class UnnamedKeys:
    """Temporary keys of a principal, by its ARN, where the record does not say which it got."""

    value: str
    kind = "unnamed-keys"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the user's or session's name."""
        return (("Username", self.value.rpartition("/")[2]),)

    def claims(self, event: Event) -> bool:
        """The principal's calls with any temporary key."""
        return event.arn == self.value and event.key.startswith("ASIA")


@dataclass(frozen=True)
class PermissionSetSession:
    """A user of IAM Identity Center in a permission set's role: `<permission set>/<user>`."""

    value: str
    kind = "permission-set"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the user's name, which the sessions bear."""
        return (("Username", self.value.partition("/")[2]),)

    def claims(self, event: Event) -> bool:
        """Sessions of that user in the role that Identity Center made for the permission set."""
        permission_set, _, user = self.value.partition("/")
        role = event.issuer.rpartition("/")[2]
        return event.username == user and role.startswith(f"AWSReservedSSO_{permission_set}_")


@dataclass(frozen=True)
class Provider:
    """An identity provider, trust anchor or profile, by ARN: the roles assumed through it."""

    value: str
    kind = "identity-provider"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the names of the events; `LookupEvents` knows no attribute for the provider."""
        names = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "CreateSession")
        return tuple(("EventName", name) for name in names)

    def claims(self, event: Event) -> bool:
        """Assumptions that name it. An OIDC provider may be written without the ARN's head."""
        if ("EventName", event.name) not in self.lookups:
            return False
        named = [
            *event.texts("userIdentity.identityProvider"),
            *event.texts("request.principalArn"),
            *event.either("trustAnchorArn"),
            *event.either("profileArn"),
        ]
        return self.value in named or self.value.partition("oidc-provider/")[2] in named


@dataclass(frozen=True)
class Forwarded:
    """What one service does in a principal's name after it was called (forward access sessions).

    Such events name the principal, but often a key that the service made.
    """

    value: str
    service: str
    kind = "on-behalf"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the user's or session's name."""
        return (("Username", self.value.rpartition("/")[2]),)

    def claims(self, event: Event) -> bool:
        """The principal's events that this service invoked, but not with another long-term key."""
        return (
            event.arn == self.value
            and event.invoked_by == self.service
            and not event.key.startswith("AKIA")
        )


@dataclass(frozen=True)
class Everything:
    """All that changed anything in the account, whoever did it."""

    value: str
    kind = "account"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """Events that are not read-only; reads are left out, or the lookup would never end."""
        return (("ReadOnly", "false"),)

    def claims(self, event: Event) -> bool:
        """Any but a read."""
        return not event.read_only


ALL_CALLS = (("ReadOnly", "false"), ("ReadOnly", "true"))
"""Every event: `LookupEvents` has no attribute for what these subjects are known by."""


@dataclass(frozen=True)
class Address:
    """An address or a block of them, in CIDR notation: whoever called from there."""

    value: str
    kind = "address"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """All."""
        return ALL_CALLS

    def claims(self, event: Event) -> bool:
        """Calls from the block; a service that calls has a name and no address."""
        try:
            return ip_address(event.ip) in ip_network(self.value)
        except ValueError:
            return False


@dataclass(frozen=True)
class Agent:
    """Part of a user agent, in any case of letters: whoever called with such a tool."""

    value: str
    kind = "user-agent"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """All."""
        return ALL_CALLS

    def claims(self, event: Event) -> bool:
        """Calls whose user agent holds the text."""
        return self.value.lower() in event.agent.lower()


@dataclass(frozen=True)
class MfaDevice:
    """An MFA device, by its serial number: what was changed on it, and sessions got with it."""

    value: str
    kind = "mfa-device"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """By the names of the events that name a device (IAM and STS API references)."""
        names = (
            "ConsoleLogin",
            "GetSessionToken",
            "AssumeRole",
            "CreateVirtualMFADevice",
            "DeleteVirtualMFADevice",
            "EnableMFADevice",
            "DeactivateMFADevice",
            "ResyncMFADevice",
        )
        return tuple(("EventName", name) for name in names)

    def claims(self, event: Event) -> bool:
        """Events that name it, on either side or as the device of a sign-in."""
        named = [*event.either("serialNumber"), *event.texts("additionalEventData.MFAIdentifier")]
        return self.value in named


@dataclass(frozen=True)
class Foreign:
    """Another account, or a principal of one, by ARN: what it did in this account.

    Records of what another account's principal did name the account, and its ARN only at times.
    """

    value: str
    account: str
    kind = "foreign"

    @property
    def lookups(self) -> tuple[Attribute, ...]:
        """Roles that it assumed, and whatever it changed by itself through a resource's policy."""
        return (("EventName", "AssumeRole"), ("ReadOnly", "false"))

    def claims(self, event: Event) -> bool:
        """By the ARN where the record and the question have one, else by the account."""
        if event.account != self.account:
            return False
        return not (event.arn and self.value.startswith("arn:")) or event.arn == self.value
