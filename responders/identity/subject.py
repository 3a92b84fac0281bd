"""The identity that an incident is about, and what may be done to it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from contract import as_list
from responders.errors import Skip
from responders.identity import deny_document
from responders.identity.principal import KEY_ID
from responders.json_values import Json

KEYS_RECORD = "access-keys.json"
"""The part of a user's record that must be in the vault before a key may be deleted."""
_SERVICE_LINKED = re.compile(r"/aws-service-role/([a-z0-9.-]+)/")
_RESERVED = "/aws-reserved/"


def is_key(target: str) -> bool:
    """Whether the target is an access key."""
    return KEY_ID.fullmatch(target) is not None


def is_temporary(target: str) -> bool:
    """Whether the target is a session's access key."""
    return is_key(target) and target.startswith("ASIA")


def evidence_name(target: str, part: str) -> str:
    """Name of one part of a target's record, without what the name of evidence can't hold."""

    def clean(text: str) -> str:
        kept = re.sub(r"[^A-Za-z0-9._@=+-]", "_", text)
        return kept if kept[0].isalnum() else f"x{kept}"

    return "/".join([*(clean(text) for text in target.split("/")), part])


def require_editable(role: Mapping[str, Json], wanted: deny_document.Document) -> None:
    """Raises Skip, with what to do instead, for a role whose policies nobody here can change.

    `role` is IAM's description; its path tells, for a name can be imitated.
    """
    path, name = str(role["Path"]), str(role["RoleName"])
    if linked := _SERVICE_LINKED.match(path):
        raise Skip(
            f"{name} is linked to the service {linked[1]}: only that service assumes it, and "
            "neither its policies nor its trust can be changed. Look for what was made in that "
            "service, and stop it there; service control policies don't bind such roles",
            incomplete=True,
        )
    if path.startswith(_RESERVED):
        raise Skip(
            f"{name} belongs to IAM Identity Center, and only that can change it. There: disable "
            "the person's access and delete their active sessions, then remove the assignment; "
            "and to revoke sessions of this role at once, put this into the permission set as an "
            f"inline policy and provision it: {deny_document.text(wanted)}",
            incomplete=True,
        )


def trusted(role: Mapping[str, Json], account: str) -> list[str]:
    """Whom a role's trust policy lets assume it; those of other accounts are marked."""
    document = role.get("AssumeRolePolicyDocument", {})
    found: list[str] = []
    for statement in as_list(document.get("Statement")):
        if statement.get("Effect") == "Allow":
            admitted = statement.get("Principal", statement.get("NotPrincipal", "*"))
            found += _names(admitted if isinstance(admitted, dict) else {"AWS": admitted}, account)
    return sorted(set(found))


def _names(admitted: Mapping[str, object], account: str) -> list[str]:
    named = [(kind, str(name)) for kind, names in admitted.items() for name in as_list(names)]
    return [
        f"{name} (not of this account)"
        if kind == "AWS" and account not in name.split(":") and name != account
        else name
        for kind, name in named
    ]
