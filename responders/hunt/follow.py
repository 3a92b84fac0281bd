"""What an event gives out that can act by itself: keys, sessions, users, roles, machines.

Each rule names the service and the events it is for, and gives the subjects to follow from the
event's time on. Only calls that succeeded give anything out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from responders.hunt.event import Event
from responders.hunt.subjects import (
    FORWARDED_FOR,
    Backdoor,
    Console,
    Forwarded,
    Host,
    Key,
    Role,
    Session,
    Subject,
    User,
)
from responders.hunt.table import plain


@dataclass(frozen=True)
class Given:
    """A subject that an event gave out. `until` bounds how long it is the event's doing."""

    subject: Subject
    until: datetime | None = None
    expires: str = ""


@dataclass(frozen=True)
class Account:
    """What the rules must know: account, partition, and the ARN of a role or user by its name."""

    id: str
    partition: str
    arn_of: Callable[[str, str], str]
    """(`role` or `user`, name) to ARN; asks IAM, since names don't tell the path."""


Rule = Callable[[Event, Subject, Account], Iterator[Given]]


def given(event: Event, by: Subject, account: Account) -> list[Given]:
    """What `by` received through an event; empty for calls that failed."""
    if event.error:
        return []
    rules = (*RULES.get((event.service, plain(event.name)), ()), _forwarded)
    return [one for rule in rules for one in rule(event, by, account)]


# -- keys and sessions --


def _long_term_key(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    for key in event.texts("response.accessKey.accessKeyId"):
        yield Given(Key(key))


def _credentials(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """The temporary key; of a role that is hunted as a whole, the sessions of that name instead.

    Services renew the sessions of machines and functions under one name, thousands of times.
    """
    session = session_arn(by.value, event.text("request.roleSessionName"))
    if isinstance(by, Role) and session:
        yield Given(Session(session))
        return
    expires = event.text("response..expiration")
    for key in event.texts("response..accessKeyId"):
        yield Given(Key(key), expires=expires)


def session_arn(role_arn: str, session: str) -> str:
    """ARN of a role's session: it bears the role's name without its path. Empty when none is."""
    parts = role_arn.split(":", 5)
    if len(parts) != 6 or not session:
        return ""
    name = parts[5].rpartition("/")[2]
    return f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{name}/{session}"


# -- principals --


def _user(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    for arn in event.texts("response.user.arn"):
        yield Given(User(arn))


def _role(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    for arn in event.texts("response.role.arn"):
        yield Given(Role(arn))


def _trust(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Callers of this account are not followed: theirs may be the trust that was there before."""
    for name in event.texts("request.roleName"):
        yield Given(Backdoor(account.arn_of("role", name), account.id))


def _password(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Console sessions only: the user's own keys are not the password's doing."""
    for name in event.texts("request.userName"):
        yield Given(Console(account.arn_of("user", name)))


def _signed_in(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """A credential traded for a console session, whose keys the console makes by itself."""
    if event.arn and event.arn != by.value:
        yield Given(Console(event.arn))


# -- machines, functions, tasks --


def _instances(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    if event.texts("request.iamInstanceProfile.arn") or event.texts(
        "request.iamInstanceProfile.name"
    ):
        for instance in event.texts("response.instancesSet.items.*.instanceId"):
            yield Given(Host(instance))


def _profile(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    for instance in event.texts("response..instanceId") or event.texts("request..InstanceId"):
        yield Given(Host(instance))


def _function(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """The sessions of a function's role bear the function's name."""
    name = event.text("request.functionName").rpartition(":")[2]
    if session := session_arn(event.text("request.role"), name):
        yield Given(Session(session))


def _task(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """The sessions of a task's role bear the task's id."""
    for arn in event.texts("response.tasks.*.taskArn"):
        yield Given(Host(arn.rpartition("/")[2]))


# -- services that act in the caller's name --

ON_BEHALF = frozenset({"cloudformation", "servicecatalog", "elasticbeanstalk", "batch", "athena"})
"""Services whose forward access sessions may outlast the call (IAM user guide, "Forward access
sessions"). Their events name the caller, but often a key that the service made."""


def _forwarded(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    own = event.arn in ("", by.value) or bool(event.invoked_by)
    if event.service in ON_BEHALF and not event.read_only and not own:
        yield Given(Forwarded(event.arn, event.source), until=event.time + FORWARDED_FOR)


RULES: dict[tuple[str, str], tuple[Rule, ...]] = {
    ("iam", "CreateAccessKey"): (_long_term_key,),
    ("iam", "CreateUser"): (_user,),
    ("iam", "CreateRole"): (_role,),
    ("iam", "UpdateAssumeRolePolicy"): (_trust,),
    ("iam", "CreateLoginProfile"): (_password,),
    ("iam", "UpdateLoginProfile"): (_password,),
    ("sts", "AssumeRole"): (_credentials,),
    ("sts", "AssumeRoleWithSAML"): (_credentials,),
    ("sts", "AssumeRoleWithWebIdentity"): (_credentials,),
    ("sts", "AssumeRoot"): (_credentials,),
    ("sts", "GetSessionToken"): (_credentials,),
    ("sts", "GetFederationToken"): (_credentials,),
    ("rolesanywhere", "CreateSession"): (_credentials,),
    ("cognito-identity", "GetCredentialsForIdentity"): (_credentials,),
    ("signin", "GetSigninToken"): (_signed_in,),
    ("signin", "ConsoleLogin"): (_signed_in,),
    ("ec2", "RunInstances"): (_instances,),
    ("ec2", "AssociateIamInstanceProfile"): (_profile,),
    ("ec2", "ReplaceIamInstanceProfileAssociation"): (_profile,),
    ("lambda", "CreateFunction"): (_function,),
    ("ecs", "RunTask"): (_task,),
    ("ecs", "StartTask"): (_task,),
}
