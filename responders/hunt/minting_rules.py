"""Rules for credentials: a key, a session or a password given out, or traded for another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from responders.hunt.event import Event
from responders.hunt.follow import Account, Given, Rules, session_arn
from responders.hunt.lead import Confidence
from responders.hunt.subjects import (
    BearerToken,
    Console,
    Key,
    PermissionSetSession,
    Role,
    Session,
    Subject,
    UnnamedKeys,
)
from responders.hunt.table import table

LONGEST_SESSION = timedelta(hours=36)
"""The longest life of a temporary credential (STS API, GetFederationToken and GetSessionToken)."""


def credentials(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """The temporary key; of a role that is hunted as a whole, the sessions of that name instead.

    Services renew the sessions of machines and functions under one name, thousands of times. Where
    the record hides the key's id, temporary keys that the same principal then uses may be it.
    """
    session = session_arn(by.value, event.text("request.roleSessionName"))
    if isinstance(by, Role) and session:
        yield Given(Session(session))
        return
    expires = event.text("response..expiration")
    keys = event.texts("response..accessKeyId")
    for key in keys:
        yield Given(Key(key), expires=expires, holder=_holder(event))
    if keys:
        return
    if session := session_arn(event.role, event.text("request.roleSessionName")):
        yield Given(Session(session), until=event.time + LONGEST_SESSION)
    elif event.arn:
        until = event.time + LONGEST_SESSION
        yield Given(UnnamedKeys(event.arn), until, confidence=Confidence.POSSIBLE)


def _holder(event: Event) -> str:
    """ARN whose policies bound what a minted credential may do, as far as the event tells."""
    if event.role:
        session = event.text("request.roleSessionName")
        return session_arn(event.role, session) or event.role
    return event.arn


def long_term_key(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """A user's key, or one of a Lightsail bucket."""
    for key in event.texts("response.accessKey.accessKeyId"):
        yield Given(Key(key))


def bearer_token(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """A long-term API key, of Bedrock for one: its calls bear the user's name, but no key."""
    for name in event.either("userName"):
        yield Given(BearerToken(account.arn_of("user", name)))


def password(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """Console sessions only: the user's own keys are not the password's doing."""
    for name in event.either("userName"):
        yield Given(Console(account.arn_of("user", name)))


def signed_in(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """A credential traded for a console session, whose keys the console makes by itself."""
    if event.arn and event.arn != by.value:
        yield Given(Console(event.arn))


def identity_center(event: Event, by: Subject, account: Account) -> Iterator[Given]:
    """A role of a permission set; its sessions bear the user's name, also in other accounts.

    IAM Identity Center names the role `AWSReservedSSO_<permission set>_<16 hex digits>`.
    """
    permission_set = event.text("serviceEventDetails.role_name") or event.text("request.roleName")
    where = event.text("serviceEventDetails.account_id") or event.text("request.accountId")
    user = event.username or event.text("userIdentity.userName")
    if user and permission_set and where in ("", account.id):
        subject = PermissionSetSession(f"{permission_set}/{user}")
        yield Given(subject, event.time + LONGEST_SESSION)


def _of_table() -> Rules:
    """One rule for every operation that the table says to follow by its key."""
    return {
        which: (credentials,) for which, minting in table().mintings.items() if minting.is_followed
    }


RULES: Rules = {
    **_of_table(),
    ("iam", "CreateAccessKey"): (long_term_key,),
    ("lightsail", "CreateBucketAccessKey"): (long_term_key,),
    ("iam", "CreateLoginProfile"): (password,),
    ("iam", "UpdateLoginProfile"): (password,),
    ("iam", "CreateServiceSpecificCredential"): (bearer_token,),
    ("iam", "ResetServiceSpecificCredential"): (bearer_token,),
    ("iam", "UpdateServiceSpecificCredential"): (bearer_token,),
    ("sso", "GetRoleCredentials"): (identity_center,),
    ("signin", "GetSigninToken"): (signed_in,),
    ("signin", "ConsoleLogin"): (signed_in,),
    ("signin", "CreateOAuth2Token"): (credentials, signed_in),
}
