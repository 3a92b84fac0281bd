"""Judges by its meaning who may assume a role: named people of known accounts, with proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MFA, EXTERNAL_ID = "aws:MultiFactorAuthPresent", "sts:ExternalId"


def faults(document: Mapping[str, Any], account: str, pinned: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with a trust policy; `pinned` are the ARNs that may assume it, if known.

    Only `Bool` demands MFA: `BoolIfExists` lets through whoever has no such key. Only
    `StringEquals` demands an external id, and each that is listed must be one.
    """
    statements = document.get("Statement", [])
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal")
        if not isinstance(principal, Mapping) or "NotPrincipal" in statement:
            yield "trusts everybody"
            continue
        people = [str(who) for some in principal.values() for who in _list(some)]
        if any("*" in who for who in people):
            yield "trusts a wildcard"
        elif pinned:
            if strangers := sorted(set(people) - set(pinned)):
                yield f"trusts {', '.join(strangers)}, which nothing pins"
        elif foreign := [who for who in people if f":{account}:" not in who and who != account]:
            yield f"trusts {', '.join(foreign)} of another account, which nothing pins"
        if not _proven(statement.get("Condition", {})):
            yield "can be assumed without MFA or an external id"


def _proven(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    mfa = _list(condition.get("Bool", {}).get(MFA))
    external = _list(condition.get("StringEquals", {}).get(EXTERNAL_ID))
    return [str(value).lower() for value in mfa] == ["true"] or bool(external and all(external))


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
