"""Users and roles: how they are written, found, and told apart from the caller's own.

A principal is written `user/alice`, `role/deployer`, or `role/deployer/<session>` for the sessions
of one name. People may also give the plain name, an ARN, or the unique id that CloudTrail shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from responders.action import Subject
from responders.aws import Aws, Identity, code_of, explain, pages
from responders.connection import hurried
from responders.errors import BadInput, NotContained
from responders.json_values import JsonObject
from responders.permissions import allow
from responders.session import raise_if_unusable

PERMISSIONS = (
    allow("iam:GetUser", on="arn:{partition}:iam::{account}:user/*", because="finds a user"),
    allow("iam:GetRole", on="arn:{partition}:iam::{account}:role/*", because="finds a role"),
    allow(
        "iam:ListUsers",
        "iam:ListRoles",
        because="finds a user or role by its unique id, or what a wrong name may have meant",
    ),
)

NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
"""Names of users and roles; names of sessions have at least two characters."""
KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}")
_UNIQUE = {"AIDA": "user", "AROA": "role"}
ROOT_ADVICE = (
    "Only a person who can sign in as the root user can act on it: change the root password, check "
    "the root e-mail address and MFA devices, and delete the root's access keys (Security "
    "credentials, in the account menu). In a member account of an organization, the management "
    "account can remove root credentials (IAM, Root access management). Sessions of root can't be "
    "revoked by any policy. Open a case: `cordon support open`, or the form for lost accounts."
)


@dataclass(frozen=True)
class Principal(Subject):
    """A user, a role, or a role's sessions of one name (`session`).

    `arn` is the user's or role's ARN with its path, `unique_id` what IAM calls it for ever; both
    are empty when IAM did not tell them.
    """

    kind: str
    name: str
    session: str = ""
    arn: str = field(default="", compare=False, repr=False)
    unique_id: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return "/".join(filter(None, (self.kind, self.name, self.session)))

    def names(self) -> tuple[str, ...]:
        """Its ARN and unique id, as far as they are known."""
        return tuple(filter(None, (self.arn, self.unique_id)))

    def as_recorded(self) -> str:
        """As it is written; `parse` reads it."""
        return str(self)

    @classmethod
    def parse(cls, text: str) -> Principal:
        """Reads what `str` writes; ValueError for anything else."""
        kind, _, rest = text.partition("/")
        name, _, session = rest.partition("/")
        if kind not in ("user", "role") or not NAME.fullmatch(name):
            raise ValueError(f"{text!r} is no principal")
        if session and (kind == "user" or not NAME.fullmatch(session)):
            raise ValueError(f"{text!r} is no principal")
        return cls(kind, name, session)

    @classmethod
    def of_arn(cls, arn: str) -> Principal | None:
        """The principal of a user's, role's or session's ARN; None for any other (such as root)."""
        parts = arn.split(":", 5)[-1].split("/")
        match parts:
            case ["user", *_, name] if name:
                return cls("user", name)
            case ["role", *_, name] if name:
                return cls("role", name)
            case ["assumed-role", name, session]:
                return cls("role", name, session)
        return None


def find(aws: Aws, kind: str, text: str) -> tuple[Principal, JsonObject]:
    """The one user or role that `text` means, and IAM's description of it.

    BadInput, with what to give instead, when there is none. A name that IAM does not describe for
    any other reason is taken as it is, with an empty description: whether there is such an identity
    shows when it is changed.
    """
    if text.startswith("arn:"):
        sought = _from_arn(aws, kind, text)
    elif re.fullmatch(r"(AIDA|AROA)[A-Z0-9]{12,30}(:.*)?", text):
        sought = _from_unique_id(aws, kind, text)
    else:
        sought = _from_name(kind, text)
    described = _described(aws, sought)
    if text.startswith("arn:"):
        _require_account(aws, text, described)
    unique_id = str(described.get(f"{kind.title()}Id", ""))
    return replace(sought, arn=str(described.get("Arn", "")), unique_id=unique_id), described


def account_of(aws: Aws, described: JsonObject) -> str:
    """The account that the caller and an identity are in; empty when neither STS nor IAM says."""
    who = aws.identity_soon()
    arn = str(described.get("Arn", ""))
    return who.account if who else arn.split(":")[4] if arn else ""


def this_account(aws: Aws) -> str:
    """The caller's account, for messages."""
    who = aws.identity_soon()
    return f"account {who.account}" if who else "this account"


def is_own(sought: Principal, who: Identity | None) -> bool:
    """Whether the caller is this principal, or one of its sessions; False when nobody knows."""
    own = Principal.of_arn(who.arn) if who else None
    if own is None or (own.kind, own.name.lower()) != (sought.kind, sought.name.lower()):
        return False
    return not sought.session or own.session == sought.session


def refuse_own(target: str) -> BadInput:
    """What to raise when the target is what the caller works with."""
    return BadInput(
        f"{target} is what you are using now: to respond to it would cut you off",
        "Use other credentials (--profile, --role-arn), or add --force-own-key if you mean it.",
    )


def _from_name(kind: str, text: str) -> Principal:
    if KEY_ID.fullmatch(text):
        raise BadInput(f"{text} is an access key id", f"Use `cordon key {text}`.")
    if re.fullmatch(r"i-[0-9a-f]{8,17}", text):
        raise BadInput(f"{text} is an instance", f"Use `cordon instance {text}`.")
    given, _, name = text.rpartition("/")
    if given in ("user", "role") and given != kind:
        raise BadInput(f"{text} is a {given}", f"Use `cordon {given} {name}`.")
    if given not in ("", kind) or not NAME.fullmatch(name):
        raise BadInput(
            f"{text!r} can't be the name of a {kind}",
            "Give the plain name without its path (letters, digits and +=,.@_-, at most 64), "
            "or its ARN.",
        )
    return Principal(kind, name)


def _from_arn(aws: Aws, kind: str, arn: str) -> Principal:
    parts = arn.split(":", 5)
    if len(parts) != 6:
        raise BadInput(f"{arn!r} is not an ARN", "Give the plain name, or the whole ARN.")
    who = aws.identity_soon()
    if who and parts[4] != who.account:
        raise _of_another_account(arn, who.account)
    if parts[5] == "root":
        raise NotContained("this is the account's root user", ROOT_ADVICE)
    found = Principal.of_arn(arn)
    if found is None:
        raise BadInput(
            f"{arn} is neither a user nor a role",
            "A federated user's sessions end with those of the user who made them: "
            "`cordon user` with that user's name.",
        )
    if found.kind != kind:
        raise BadInput(f"{arn} is a {found.kind}", f"Use `cordon {found.kind} {arn}`.")
    return found


def _require_account(aws: Aws, arn: str, described: JsonObject) -> None:
    """Another account may have an identity of the same name: one of both must tell them apart."""
    own, account = account_of(aws, described), arn.split(":")[4]
    if not own:
        raise NotContained(
            f"whether {arn} is in the account of these credentials is not known: neither STS nor "
            "IAM says which account that is",
            "Give the plain name if you are certain.",
        )
    if own != account:
        raise _of_another_account(arn, own)


def _of_another_account(arn: str, own: str) -> BadInput:
    return BadInput(
        f"{arn} is in account {arn.split(':')[4]}, and these credentials are for {own}; nothing "
        "was touched",
        "Use credentials of that account.",
    )


def _from_unique_id(aws: Aws, kind: str, text: str) -> Principal:
    unique, _, session = text.partition(":")
    if _UNIQUE[unique[:4]] != kind:
        other = _UNIQUE[unique[:4]]
        raise BadInput(f"{unique} is the unique id of a {other}", f"Use `cordon {other} {text}`.")
    for entry in _all(aws, kind):
        if entry[f"{kind.title()}Id"] == unique:
            return Principal(kind, str(entry[f"{kind.title()}Name"]), session)
    raise BadInput(
        f"there is no {kind} with the unique id {unique} in {this_account(aws)}",
        "It may be of another account, or was deleted.",
    )


def _described(aws: Aws, sought: Principal) -> JsonObject:
    try:
        return describe(aws, sought)
    except Exception as error:
        if code_of(error) != "NoSuchEntity":
            raise_if_unusable(error)
            aws.doubt(
                f"{sought} is taken by its name, for IAM does not describe it: {explain(error)}"
            )
            return {}
    raise BadInput(
        f"there is no {sought.kind} {sought.name} in {this_account(aws)}",
        _advice(aws, sought),
    )


def describe(aws: Aws, sought: Principal) -> JsonObject:
    """IAM's description of a user or role; the error NoSuchEntity when it is not there."""
    iam = aws.client("iam")
    with hurried():
        if sought.kind == "user":
            return dict(iam.get_user(UserName=sought.name)["User"])
        return dict(iam.get_role(RoleName=sought.name)["Role"])


def _advice(aws: Aws, sought: Principal) -> str:
    """What the user may have meant: a role for a user, or another spelling."""
    told = "Check the name and the account (cordon uses the AWS credentials of the environment)."
    for kind in ("user", "role"):
        try:
            names = sorted(str(e[f"{kind.title()}Name"]) for e in _all(aws, kind))
        except Exception as error:
            return f"{told} The {kind}s can't be listed: {explain(error)}"
        for name in names:
            if name.lower() == sought.name.lower():
                return f"There is a {kind} {name}: `cordon {kind} {name}`."
    return told


def _all(aws: Aws, kind: str) -> list[JsonObject]:
    return pages(aws.client("iam"), f"list_{kind}s", f"{kind.title()}s")
