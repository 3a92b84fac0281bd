"""Who owns an access key: a user of this account, or the session that CloudTrail saw using it.

Another account's key, and one that nobody has, are bad input. A key of the root user, and a session
that CloudTrail does not know, can't be contained by this command, and it says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING

from responders.aws import CALLER_WAIT, Aws, code_of, explain
from responders.connection import hurried
from responders.errors import BadInput, NotContained
from responders.identity.principal import KEY_ID, ROOT_ADVICE, Principal, this_account
from responders.json_values import JsonObject
from responders.permissions import allow
from responders.session import raise_if_unusable

if TYPE_CHECKING:
    from types_boto3_cloudtrail import CloudTrailClient
    from types_boto3_cloudtrail.literals import LookupAttributeKeyType

PERMISSIONS = (
    allow("sts:GetAccessKeyInfo", because="tells which account a key belongs to"),
    allow(
        "iam:GetAccessKeyLastUsed",
        "iam:GetAccountSummary",
        "iam:ListUsers",
        because="finds the user who owns a key, and whether root has keys",
    ),
    allow(
        "iam:ListAccessKeys",
        on="arn:{partition}:iam::{account}:user/*",
        because="finds the user who owns a key, and reads the status of keys",
    ),
    allow("cloudtrail:LookupEvents", because="finds the role or user behind a temporary key"),
)

AT_ONCE = 16
"""Users that are asked for their keys at the same time: IAM throttles a caller with many more."""
_OTHERS = {
    "AIDA": "the unique id of a user: `cordon user` takes it",
    "AROA": "the unique id of a role: `cordon role` takes it",
    "AIPA": "the unique id of an instance profile",
    "APKA": "the id of an SSH public key: `cordon user` deactivates those of its user",
    "ABIA": "a service bearer token",
    "ACCA": "a context-specific credential: `cordon user` deactivates those of its user",
}


def check_key_id(text: str) -> str:
    """The key id; BadInput, that never repeats the text (it may be a secret), when it is none."""
    if KEY_ID.fullmatch(text):
        return text
    if KEY_ID.fullmatch(text.strip().upper()):
        raise BadInput(
            "that is almost an access key id", f"Did you mean {text.strip().upper()}? Give that."
        )
    if re.fullmatch(r"[A-Z0-9]{16,21}", text) and text[:4] in _OTHERS:
        raise BadInput(f"{text} is {_OTHERS[text[:4]]}", "Give an access key id, AKIA… or ASIA….")
    told = "it has 20 characters, AKIA… or ASIA…, capital letters and digits"
    if len(text) == 40:
        told += ". What you gave may be a secret key: keep it off command lines"
    raise BadInput("that is not an access key id", f"Give the key's id: {told}.")


def owner(aws: Aws, key_id: str) -> Principal:
    """The user, or the role's session, that the key is for.

    STS is asked first whether the key is another account's. Where it does not say, IAM or
    CloudTrail settles that: only keys of this account are found there.
    """
    asked = aws.spawn(_account_of, aws, key_id)
    who = aws.identity_soon()
    account = _within(asked, CALLER_WAIT)
    if who and account and account != who.account:
        raise BadInput(
            f"{key_id} belongs to account {account}, and these credentials are for "
            f"{who.account}; nothing was touched",
            f"Use credentials of account {account}. If it is not yours, tell AWS "
            "(https://support.aws.amazon.com/#/contacts/report-abuse).",
        )
    return session_of(aws, key_id) if key_id.startswith("ASIA") else _user_of(aws, key_id)


def _account_of(aws: Aws, key_id: str) -> str:
    with hurried():
        return str(aws.client("sts").get_access_key_info(AccessKeyId=key_id)["Account"])


def _within(asked: Future[str], seconds: float) -> str:
    """What a look-up that only informs says within so long; else the empty string."""
    try:
        return asked.result(seconds)
    except Exception:
        return ""


def _user_of(aws: Aws, key_id: str) -> Principal:
    """The user by IAM's short way, else by the keys of every user.

    NotContained when it is not certain that nobody has it: some users could not be asked.
    """
    if user := _last_used_by(aws, key_id):
        return Principal("user", user)
    trouble: list[str] = []
    if user := _scan(aws, key_id, trouble):
        return Principal("user", user)
    if trouble:
        raise NotContained(
            f"whose key {key_id} is can't be found out: {'; '.join(trouble)}",
            "If you know the user: `cordon user`. Else mend the access to IAM, and try again.",
        )
    if _root_has_keys(aws):
        raise NotContained(
            f"no user has {key_id}, and the account's root user has an access key: "
            "it is root's, unless it was deleted already",
            ROOT_ADVICE,
        )
    raise BadInput(
        f"there is no access key {key_id} in {this_account(aws)}: no user has it, "
        "and root has none",
        "It was deleted, or is mistyped. `cordon hunt --key` still finds what was done with it.",
    )


def _last_used_by(aws: Aws, key_id: str) -> str:
    """The user that IAM names beside the last use of the key; empty when it does not say."""
    try:
        name = str(aws.client("iam").get_access_key_last_used(AccessKeyId=key_id)["UserName"])
    except Exception as error:
        # IAM says AccessDenied for a key that no user of the account has; whatever else it is,
        # the keys of all users still tell.
        raise_if_unusable(error)
        return ""
    try:
        return name if key_id in keys_of(aws, name) else ""
    except Exception as error:
        return "" if code_of(error) == "NoSuchEntity" else name


def _scan(aws: Aws, key_id: str, trouble: list[str]) -> str:
    """The user with the key, asking several at once; who could not be asked goes to `trouble`."""

    def has(user: str) -> bool:
        try:
            return key_id in keys_of(aws, user)
        except Exception as error:
            if code_of(error) != "NoSuchEntity":  # deleted meanwhile
                trouble.append(f"{user}: {explain(error)}")
            return False

    try:
        users = _users(aws)
        while some := list(islice(users, AT_ONCE)):
            asked = [(user, aws.spawn(has, user)) for user in some]
            for user, answer in asked:
                if answer.result():
                    return user
    except Exception as error:
        raise_if_unusable(error)
        trouble.append(explain(error))
    return ""


def _root_has_keys(aws: Aws) -> bool:
    try:
        summary = aws.client("iam").get_account_summary()["SummaryMap"]
    except Exception as error:
        raise NotContained(
            f"no user of {this_account(aws)} has the key; whether root has it is not known: "
            f"{explain(error)}",
            ROOT_ADVICE,
        ) from error
    return bool(summary.get("AccountAccessKeysPresent"))


def keys_of(aws: Aws, user: str) -> dict[str, str]:
    """A user's access keys, with their status."""
    pages = aws.client("iam").get_paginator("list_access_keys").paginate(UserName=user)
    keys = [key for page in pages for key in page["AccessKeyMetadata"]]
    return {str(key["AccessKeyId"]): str(key["Status"]) for key in keys}


def keys_if_known(aws: Aws, user: str) -> frozenset[str]:
    """Ids of a user's keys, to see whether the caller's own is among them; none, and a doubt told,
    when IAM does not list them."""
    try:
        return frozenset(keys_of(aws, user))
    except Exception as error:
        raise_if_unusable(error)
        if code_of(error) != "NoSuchEntity":
            aws.doubt(f"whether {user} has the key in use now is not known: {explain(error)}")
        return frozenset()


def _users(aws: Aws) -> Iterator[str]:
    for page in aws.client("iam").get_paginator("list_users").paginate():
        yield from (str(user["UserName"]) for user in page["Users"])


def session_of(aws: Aws, key_id: str) -> Principal:
    """Who a temporary key stands for, by CloudTrail's events of the last 90 days in all regions."""
    trouble = []
    for attribute in ("AccessKeyId", "ResourceName"):
        asked = [
            (r, aws.spawn(_events, aws.client("cloudtrail", r), attribute, key_id))
            for r in aws.regions_to_search
        ]
        events = []
        for region, answer in asked:
            try:
                events += answer.result()
            except Exception as error:
                trouble.append(f"{region}: {explain(error)}")
        for event in events:
            if found := _principal(event, key_id):
                return found
    where = (
        f"; not everywhere could be searched: {'; '.join(dict.fromkeys(trouble))}"
        if trouble
        else ""
    )
    raise NotContained(
        f"CloudTrail knows no event of {key_id}{where}",
        "Events appear within some 15 minutes: try again. If you know the role or user, use "
        "`cordon role` or `cordon user` at once; an instance's keys are its role's.",
    )


def _events(
    cloudtrail: CloudTrailClient, attribute: LookupAttributeKeyType, value: str
) -> list[JsonObject]:
    """The newest events of one region, at most a page: the first that names the key is enough."""
    answer = cloudtrail.lookup_events(
        LookupAttributes=[{"AttributeKey": attribute, "AttributeValue": value}], MaxResults=50
    )
    found: list[JsonObject] = []
    for entry in answer["Events"]:
        try:
            event = json.loads(entry["CloudTrailEvent"])
        except ValueError:
            continue  # not one of CloudTrail's own
        if isinstance(event, dict):
            found.append(event)
    return found


def _principal(event: JsonObject, key_id: str) -> Principal | None:
    """Who the key stands for, by an event made with it, or by the one that minted it."""
    who = _map(event.get("userIdentity"))
    if who.get("accessKeyId") == key_id:
        return _checked(_of_identity(who))
    made = _map(event.get("responseElements"))
    if _map(made.get("credentials")).get("accessKeyId") != key_id:
        return None
    assumed = _map(made.get("assumedRoleUser")).get("arn")
    if assumed:
        return _checked(Principal.of_arn(str(assumed)))
    return _checked(_of_identity(who))


def _of_identity(who: JsonObject) -> Principal | None:
    """The principal of a `userIdentity` (CloudTrail user guide, "userIdentity element")."""
    match who.get("type"):
        case "Root":
            raise NotContained("the temporary key is a session of the account's root", ROOT_ADVICE)
        case "IAMUser":
            return Principal("user", str(who.get("userName", "")))
        case "AssumedRole":
            return Principal.of_arn(str(who.get("arn", "")))
        case "FederatedUser":
            issuer = _map(_map(who.get("sessionContext")).get("sessionIssuer"))
            if issuer.get("type") == "Root":
                raise NotContained("the temporary key was minted by root", ROOT_ADVICE)
            return Principal("user", str(issuer.get("userName", "")))
    return None


def _checked(found: Principal | None) -> Principal | None:
    """None for what is no principal after all."""
    try:
        return Principal.parse(str(found)) if found else None
    except ValueError:
        return None


def _map(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
