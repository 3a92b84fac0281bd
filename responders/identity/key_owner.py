"""Who owns an access key: a user of this account, or the session that CloudTrail saw using it.

Another account's key, and one that nobody has, are bad input. A key of the root user, and a session
that CloudTrail does not know, can't be contained by this command, and it says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from responders.aws import Aws, code_of, explain, is_denied
from responders.errors import BadInput, NotContained
from responders.identity.principal import KEY_ID, ROOT_ADVICE, Principal
from responders.json_values import JsonObject
from responders.permissions import allow

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
    """The user, or the role's session, that the key is for."""
    try:
        account = str(aws.client("sts").get_access_key_info(AccessKeyId=key_id)["Account"])
    except Exception as error:
        if not is_denied(error):
            raise
        account = aws.identity.account  # IAM's answer below settles it
    if account != aws.identity.account:
        raise BadInput(
            f"{key_id} belongs to account {account}, and these credentials are for "
            f"{aws.identity.account}; nothing was touched",
            f"Use credentials of account {account}. If it is not yours, tell AWS "
            "(https://support.aws.amazon.com/#/contacts/report-abuse).",
        )
    return session_of(aws, key_id) if key_id.startswith("ASIA") else _user_of(aws, key_id)


def _user_of(aws: Aws, key_id: str) -> Principal:
    iam = aws.client("iam")
    name = None
    try:
        name = iam.get_access_key_last_used(AccessKeyId=key_id).get("UserName")
    except Exception as error:
        # IAM says AccessDenied for a key that no user of the account has.
        if code_of(error) != "NoSuchEntity" and not is_denied(error):
            raise
    if name and _has(aws, str(name), key_id):
        return Principal("user", str(name))
    for user in _users(aws):
        if _has(aws, user, key_id):
            return Principal("user", user)
    summary = iam.get_account_summary()["SummaryMap"]
    if summary.get("AccountAccessKeysPresent"):
        raise NotContained(
            f"no user has {key_id}, and the account's root user has an access key: "
            "it is root's, unless it was deleted already",
            ROOT_ADVICE,
        )
    raise BadInput(
        f"there is no access key {key_id} in account {aws.identity.account}: no user has it, "
        "and root has none",
        "It was deleted, or is mistyped. `cordon hunt --key` still finds what was done with it.",
    )


def keys_of(aws: Aws, user: str) -> dict[str, str]:
    """A user's access keys, with their status."""
    pages = aws.client("iam").get_paginator("list_access_keys").paginate(UserName=user)
    keys = [key for page in pages for key in page["AccessKeyMetadata"]]
    return {str(key["AccessKeyId"]): str(key["Status"]) for key in keys}


def _users(aws: Aws) -> Iterator[str]:
    for page in aws.client("iam").get_paginator("list_users").paginate():
        yield from (str(user["UserName"]) for user in page["Users"])


def _has(aws: Aws, user: str, key_id: str) -> bool:
    try:
        return key_id in keys_of(aws, user)
    except Exception as error:
        if code_of(error) == "NoSuchEntity":  # deleted meanwhile
            return False
        raise


def session_of(aws: Aws, key_id: str) -> Principal:
    """Who a temporary key stands for, by CloudTrail's events of the last 90 days in all regions."""
    trouble = []
    for attribute in ("AccessKeyId", "ResourceName"):
        asked = [
            (r, aws.spawn(_events, aws.client("cloudtrail", r), attribute, key_id))
            for r in aws.regions
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
