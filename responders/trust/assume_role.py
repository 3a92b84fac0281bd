"""Judges by its meaning who may assume a role: named people of known accounts, with proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MFA, EXTERNAL_ID = "aws:MultiFactorAuthPresent", "sts:ExternalId"


def faults(
    document: Mapping[str, Any],
    account: str,
    pinned: tuple[str, ...],
    *,
    needs_mfa: bool = False,
) -> Iterator[str]:
    """What is wrong with a trust policy; `pinned` are the ARNs that may assume it, if known.

    `needs_mfa`: an external id alone does not do. Who is of another account always needs one,
    which keeps that account from being tricked into the role ("confused deputy", IAM user guide).

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
        if others := sorted(set(principal) - {"AWS"}):
            yield f"trusts principals of the kind {', '.join(others)}"
        if any("*" in who for who in people):
            yield "trusts a wildcard"
        elif pinned:
            if strangers := sorted(set(people) - set(pinned)):
                yield f"trusts {', '.join(strangers)}, which nothing pins"
        elif foreign := [who for who in people if f":{account}:" not in who and who != account]:
            yield f"trusts {', '.join(foreign)} of another account, which nothing pins"
        yield from _unproven(
            statement.get("Condition", {}),
            needs_mfa=needs_mfa,
            has_foreign=any(f":{account}:" not in who and who != account for who in people),
        )


def _unproven(
    condition: Mapping[str, Mapping[str, Any]], *, needs_mfa: bool, has_foreign: bool
) -> Iterator[str]:
    mfa = [str(v).lower() for v in _list(condition.get("Bool", {}).get(MFA))] == ["true"]
    external = _list(condition.get("StringEquals", {}).get(EXTERNAL_ID))
    # Several ids are several secrets, of which the kit made one.
    named = len(external) == 1 and bool(external[0])
    if needs_mfa and not mfa:
        yield "can be assumed without MFA"
    elif not mfa and not named:
        yield "can be assumed without MFA or an external id"
    if has_foreign and not named:
        yield "can be assumed from another account without an external id"


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
