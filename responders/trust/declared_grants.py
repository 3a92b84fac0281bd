"""What the responder role may be allowed to do: what the installed actions declare, and no more.

The package that responders have installed declares it, so that the account's word is not needed.
Only some facts that `pulumi up` filled in (accounts, keys of trails) are known to nobody here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contract import PolicyDocument, policy_pieces
from responders.permissions import Permission, declared

PLACEHOLDER = re.compile(r"(?<!\$)\{(\w+)\}")
"""As in declared permissions; IAM's own variables are written `${…}`."""


@dataclass(frozen=True)
class Comparison:
    """`extra` is allowed and not declared, `missing` declared and not allowed; lines to show."""

    extra: tuple[str, ...]
    missing: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.extra or self.missing)


def compare(documents: Iterable[PolicyDocument], facts: Mapping[str, str]) -> Comparison:
    """Compares policies with the declarations, by meaning.

    A placeholder that `facts` does not have may stand for any text, for several, or for none: what
    is declared with it need not be allowed.
    """
    allowed = policy_pieces(documents)
    patterns = {
        piece: re.compile(_pattern(piece, facts)) for p in declared() for piece in _pieces(p)
    }
    extra = [a for a in allowed if not any(p.fullmatch(a) for p in patterns.values())]
    missing = [
        piece
        for piece, pattern in patterns.items()
        if set(PLACEHOLDER.findall(piece)) <= set(facts)
        and not any(pattern.fullmatch(a) for a in allowed)
    ]
    return Comparison(_shown(extra), _shown(missing))


def _pieces(permission: Permission) -> Iterable[str]:
    statement = {
        "Effect": "Allow",
        "Action": list(permission.actions),
        "Resource": list(permission.on),
        "Condition": dict(permission.when),
    }
    return policy_pieces([{"Statement": [statement]}])


def _pattern(piece: str, facts: Mapping[str, str]) -> str:
    parts = PLACEHOLDER.split(piece)
    texts = [re.escape(part) for part in parts[::2]]
    names = parts[1::2]
    # Any text within one JSON string, or several such strings where a fact has several values.
    unknown = r'[^"]*(?:", "[^"]*)*'
    filled = [re.escape(facts[name]) if name in facts else unknown for name in names]
    return "".join(a + b for a, b in zip(texts, [*filled, ""], strict=True))


def _shown(some: Iterable[str]) -> tuple[str, ...]:
    parsed = [json.loads(piece) for piece in some]
    return tuple(sorted({f"{p['effect']} {p['action']} on {p['resource']}" for p in parsed}))
