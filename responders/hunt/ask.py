"""Reads what a user asks to hunt for, and refuses what can't be meant, with advice."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from responders.aws import Aws, code_of, explain, is_denied
from responders.errors import BadInput
from responders.hunt.event import Event, read_event
from responders.hunt.lookup import HISTORY, EventHistory
from responders.hunt.subjects import (
    Address,
    Agent,
    Everything,
    Foreign,
    Key,
    MfaDevice,
    Role,
    Root,
    Session,
    Subject,
    User,
)
from responders.identity.key_owner import check_key_id
from responders.json_values import Json
from responders.permissions import allow

PERMISSIONS = (
    allow("sts:GetAccessKeyInfo", because="tells which account a key belongs to"),
    allow("iam:GetUser", on="arn:{partition}:iam::{account}:user/*", because="finds a user"),
    allow("iam:GetRole", on="arn:{partition}:iam::{account}:role/*", because="finds a role"),
)
SHORTEST_AGENT = 4
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
ARNS = (
    "Give an ARN such as arn:aws:iam::111122223333:user/alice, …:role/deploy, …:root, "
    "arn:aws:sts::111122223333:assumed-role/deploy/session or …:federated-user/bob."
)


def key(text: str) -> Key:
    """A key's id as a subject."""
    return Key(check_key_id(text))


def principal(text: str) -> Subject:
    """A principal's ARN, or another account's number, as a subject; BadInput for anything else."""
    if re.fullmatch(r"\d{12}", text.strip()):
        return Foreign(text.strip(), text.strip())
    parts = text.strip().split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not re.fullmatch(r"\d{12}", parts[4]):
        raise BadInput(f"{text!r} is not the ARN of a principal", ARNS)
    arn, resource = text.strip(), parts[5]
    match (parts[2], resource.split("/")):
        case ("iam", ["root"]):
            return Root(arn)
        case ("iam", ["user", *_, name]) if name:
            return User(arn)
        case ("iam", ["role", *_, name]) if name:
            return Role(arn)
        case ("sts", ["assumed-role", role, session]) if role and session:
            return Session(arn)
        case ("sts", ["federated-user", name]) if name:
            return Session(arn)
    raise BadInput(f"{text!r} is not the ARN of a principal that makes calls", ARNS)


def address(text: str) -> Address:
    """An IP address or a block of them as a subject; BadInput when it is neither."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        advice = "Give one such as 203.0.113.66, 203.0.113.0/24 or 2001:db8::/32."
        raise BadInput(f"{text!r} is not an IP address, nor a block of them", advice) from error
    return Address(str(network))


def agent(text: str) -> Agent:
    """Part of a user agent as a subject; BadInput when it is too short to tell anybody apart."""
    if len(text.strip()) < SHORTEST_AGENT:
        raise BadInput(
            f"{text!r} is in too many user agents",
            f"Give at least {SHORTEST_AGENT} characters of it, such as python-requests/2.31.",
        )
    return Agent(text.strip())


def mfa_device(text: str) -> MfaDevice:
    """An MFA device as a subject, by its serial number, which is an ARN or the maker's number."""
    if not re.fullmatch(r"[\w+=/:,.@-]{9,256}", text.strip(), re.ASCII):
        raise BadInput(
            f"{text!r} is not the serial number of an MFA device",
            "Give what `aws iam list-mfa-devices` shows, such as "
            "arn:aws:iam::111122223333:mfa/alice.",
        )
    return MfaDevice(text.strip())


def native_or_foreign(subject: Subject, account: str) -> Subject:
    """The subject itself, or for a principal of another account what that account did here."""
    if isinstance(subject, Root | User | Role | Session):
        other_account = subject.value.split(":")[4]
        return subject if other_account == account else Foreign(subject.value, other_account)
    return subject


def everything(account: str) -> Everything:
    """All that anybody changed in the account."""
    return Everything(account)


def since(text: str, now: datetime) -> datetime:
    """A date or time, UTC unless it has an offset, or how long ago: `90m`, `24h`, `7d`, `2w`.

    BadInput for any other form than these and ISO 8601's.
    """
    if ago := re.fullmatch(r"(\d{1,4})([mhdw])", text.strip()):
        return now - int(ago[1]) * _UNITS[ago[2]]
    form = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:?\d{2})?)?"
    advice = "Write YYYY-MM-DD, YYYY-MM-DDThh:mmZ (UTC), or how long ago: 24h, 7d."
    if not re.fullmatch(form, text.strip()):
        if re.fullmatch(r"\d{1,4}[/. -]\d{1,2}[/. -]\d{1,4}", text.strip()):
            advice = f"Which number is the month depends on the reader. {advice}"
        raise BadInput(f"{text!r} is not a date that everybody reads alike", advice)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(f"there is no date {text!r}: {error}", advice) from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment > now:
        raise BadInput(f"{text} has not come yet", f"Give a date up to {now.date()} (UTC).")
    return moment


def regions(aws: Aws, chosen: Sequence[str] | None, home: str) -> tuple[str, ...]:
    """The regions to search: the enabled ones, or those wanted and the global services' `home`."""
    enabled = aws.regions
    if chosen is None:
        return tuple(sorted({*enabled, home}))
    if unknown := sorted(set(chosen) - set(enabled) - {home}):
        raise BadInput(
            f"not enabled in this account, or no region: {', '.join(unknown)}",
            f"Enabled are: {', '.join(enabled)}.",
        )
    return tuple(sorted({*chosen, home}))


def check(aws: Aws, subject: Subject, history: EventHistory, home: str) -> list[str]:
    """BadInput when the subject is unknown here; notes when that can't be told."""
    if isinstance(subject, Key):
        return _check_key(aws, subject)
    if isinstance(subject, Foreign) and subject.account == aws.identity.account:
        raise BadInput(
            f"{subject.value} is the account of these credentials",
            "Give --since to see all that was done in it, or the ARN of a principal.",
        )
    if isinstance(subject, Foreign):
        return [
            f"{subject.value} is of account {subject.account}: what that account did in this one; "
            "by its number where the record has no ARN"
        ]
    if isinstance(subject, User | Role):
        return _check_known(aws, subject, history, home)
    return []


def _check_key(aws: Aws, subject: Key) -> list[str]:
    try:
        answer = aws.client("sts").get_access_key_info(AccessKeyId=subject.value)
    except Exception as error:
        if not is_denied(error) and code_of(error) not in ("ValidationError", "InvalidAccessKeyId"):
            raise
        return [f"whose account {subject.value} is of could not be told: {explain(error)}"]
    if str(answer["Account"]) != aws.identity.account:
        raise BadInput(
            f"{subject.value} belongs to account {answer['Account']}, and these credentials are "
            f"for {aws.identity.account}",
            "Use credentials of that account: its CloudTrail has the key's events.",
        )
    return []


def _check_known(aws: Aws, subject: User | Role, history: EventHistory, home: str) -> list[str]:
    """A principal that is gone may still be hunted, if CloudTrail remembers it."""
    name = subject.value.rpartition("/")[2]
    iam = aws.client("iam")
    try:
        if isinstance(subject, User):
            arn = str(iam.get_user(UserName=name)["User"]["Arn"])
        else:
            arn = str(iam.get_role(RoleName=name)["Role"]["Arn"])
    except Exception as error:
        if code_of(error) == "NoSuchEntity":
            _check_remembered(subject, history, home)
            return [f"{subject.value} is not there any more"]
        if is_denied(error):
            return [f"whether {subject.value} is there could not be told: {explain(error)}"]
        raise
    if arn != subject.value:
        raise BadInput(f"the {subject.kind} {name} has another ARN", f"Did you mean {arn}?")
    return []


def _check_remembered(subject: User | Role, history: EventHistory, home: str) -> None:
    """Whether somebody changed it, or it did something. Looking for it does not count."""
    name = subject.value.rpartition("/")[2]
    for record in history.newest(home, ("ResourceName", name)):
        event = _event(record)
        if event and not event.read_only and not event.error:
            return
    for attribute in subject.lookups:
        for record in history.newest(home, attribute):
            event = _event(record)
            if event and subject.claims(event):
                return
    raise BadInput(
        f"there is no {subject.kind} {subject.value}, and CloudTrail knows of none in "
        f"{HISTORY.days} days",
        "Check the name and its path: `aws iam list-users`, `aws iam list-roles`.",
    )


def _event(record: Json) -> Event | None:
    try:
        return read_event(record)
    except (ValueError, AttributeError):
        return None
