"""What is wrong with an IAM document: a role's trust, its permissions, a resource's policy.

Each function takes a parsed document and gives the faults, in words; none is a good document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract import READING_VERBS, as_list, statements

UNBOUNDABLE = ("ec2messages:", "ssmmessages:", "ssm:UpdateInstanceInformation", "support:")
"""How the names of actions begin that can only be allowed on everything: IAM knows no resources for
them (Service authorization reference); the third, the agent's report of itself, AWS's own policy
gives on everything too (`AmazonSSMManagedInstanceCore`)."""


def is_mutating(action: str) -> bool:
    """Whether an IAM action may change something; a wildcard may, unless it only reads."""
    return not action.partition(":")[2].startswith(READING_VERBS)


def trust_faults(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What is wrong with a role's trust: wildcards, or people without MFA and external id.

    `BoolIfExists` does not demand MFA: it lets through whoever has no such key, as roles.
    """
    faults: list[str] = []
    for statement in statements(document):
        principal = statement.get("Principal")
        if statement.get("Effect") != "Allow":
            continue
        if not isinstance(principal, Mapping):
            faults.append("trusts everybody: name the principals")
            continue
        if any("*" in str(name) for names in principal.values() for name in as_list(names)):
            faults.append("trusts a wildcard: name each principal")
        if set(principal) - {"Service"} and not _proven(statement.get("Condition", {})):
            faults.append("demands neither MFA nor an external id of who assumes it")
    return tuple(faults)


def _proven(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    mfa = as_list(condition.get("Bool", {}).get("aws:MultiFactorAuthPresent"))
    external = as_list(condition.get("StringEquals", {}).get("sts:ExternalId"))
    return [str(value).lower() for value in mfa] == ["true"] or bool(external and all(external))


def permission_faults(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What an identity policy allows too widely: all actions, or changes to everything."""
    faults: list[str] = []
    for statement in statements(document):
        if statement.get("Effect") != "Allow":
            continue
        if "NotAction" in statement or "NotResource" in statement:
            faults.append("allows by exclusion: name what is allowed")
        actions = as_list(statement.get("Action"))
        wide = [action for action in actions if action.endswith("*") and is_mutating(action)]
        faults += [f"allows {action}: name the actions" for action in wide]
        if "*" in as_list(statement.get("Resource")) and not statement.get("Condition"):
            changing = [action for action in actions if _must_be_bounded(action)]
            faults += [f"allows {action} on everything, without a condition" for action in changing]
    return tuple(faults)


def _must_be_bounded(action: str) -> bool:
    return is_mutating(action) and not action.startswith(UNBOUNDABLE)


def denies_plain_http(document: Mapping[str, Any]) -> bool:
    """Whether a bucket policy refuses every request without TLS, whoever makes it."""
    return any(
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and set(as_list(statement.get("Action"))) & {"*", "s3:*"}
        and _only_plain_http(statement.get("Condition", {}))
        for statement in statements(document)
    )


def _only_plain_http(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the condition is that there is no TLS, and nothing that narrows it further."""
    if list(condition) != ["Bool"] or list(condition["Bool"]) != ["aws:SecureTransport"]:
        return False
    value = condition["Bool"]["aws:SecureTransport"]
    return [str(text).lower() for text in as_list(value)] == ["false"]


def public_faults(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What a resource policy gives to everybody: an Allow to `*` without a condition on who."""
    return tuple(
        f"allows everybody {', '.join(as_list(statement.get('Action')))}"
        for statement in statements(document)
        if statement.get("Effect") == "Allow"
        and "*" in _principals(statement)
        and not _names_who(statement.get("Condition", {}))
    )


def _principals(statement: Mapping[str, Any]) -> list[Any]:
    principal = statement.get("Principal", "*")
    return as_list(principal.get("AWS") if isinstance(principal, Mapping) else principal)


def _names_who(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    caller_keys = {
        "aws:PrincipalOrgID",
        "aws:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:SourceAccount",
    }
    return any(
        caller_keys & set(keys) for operator, keys in condition.items() if "Not" not in operator
    )
