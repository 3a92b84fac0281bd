"""Judges IAM policy documents: statements, principals, resources and conditions.

IAM user guide, "Policy evaluation logic" and "Condition operators". A key that the request does
not have fails a positive operator, satisfies a negated one, and satisfies any that ends in
`IfExists`. An operator that this module does not know is an error, never a silent pass.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Asked:
    """What is asked for. `action` is `service:Operation`; `context` maps condition keys to values.

    `principals` are all the ARNs that stand for the caller (of a session: its own and its role's)
    and the account's id; `resources` the ARNs concerned, `*` where they are not known, or nothing
    where the action takes none: then only a statement on `*` speaks of it.
    """

    action: str
    resources: tuple[str, ...] = ("*",)
    principals: tuple[str, ...] = ()
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        """As an error of AWS names it."""
        return f"{self.action} on {' and '.join(self.resources) or '*'}"


def statements(document: str | bytes | Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of a policy document."""
    policy = document if isinstance(document, Mapping) else json.loads(document)
    declared = policy.get("Statement", [])
    return [declared] if isinstance(declared, Mapping) else list(declared)


def denied_by(candidates: Iterable[Mapping[str, Any]], request: Asked) -> Mapping[str, Any] | None:
    """The first statement that denies what is asked."""
    return _first(candidates, request, "Deny")


def allowed_by(candidates: Iterable[Mapping[str, Any]], request: Asked) -> Mapping[str, Any] | None:
    """The first statement that allows what is asked. A denial wins over it."""
    return _first(candidates, request, "Allow")


def _first(
    candidates: Iterable[Mapping[str, Any]], request: Asked, effect: str
) -> Mapping[str, Any] | None:
    return next((s for s in candidates if s["Effect"] == effect and applies(s, request)), None)


def applies(statement: Mapping[str, Any], request: Asked) -> bool:
    """Whether a statement speaks of this request at all."""
    return (
        _action_matches(statement, request.action)
        and _resource_matches(statement, request.resources)
        and _principal_matches(statement, request.principals)
        and all(
            _holds(operator, key, _list(values), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _action_matches(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(like(p.lower(), action.lower()) for p in _list(statement["NotAction"]))
    return any(like(p.lower(), action.lower()) for p in _list(statement.get("Action", [])))


def _resource_matches(statement: Mapping[str, Any], resources: tuple[str, ...]) -> bool:
    if "*" in resources:  # not known which: the statement may speak of it
        return True
    if not resources:
        return "NotResource" in statement or "*" in _list(statement.get("Resource", "*"))
    if "NotResource" in statement:
        patterns = _list(statement["NotResource"])
        return any(not any(like(p, r) for p in patterns) for r in resources)
    if "Resource" not in statement:
        return True
    return any(like(p, r) for p in _list(statement["Resource"]) for r in resources)


def _principal_matches(statement: Mapping[str, Any], principals: tuple[str, ...]) -> bool:
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], principals)
    return "Principal" not in statement or _names(statement["Principal"], principals)


def _names(principal: Any, principals: tuple[str, ...]) -> bool:
    if principal == "*":
        return True
    named = [p for kind in ("AWS", "Federated", "Service") for p in _list(principal.get(kind, []))]
    return any(
        n == "*" or n in principals or n.removesuffix(":root").rsplit(":", 1)[-1] in principals
        for n in named
    )


def like(pattern: str, text: str) -> bool:
    """`*` stands for any text, `?` for any character."""
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, text, re.DOTALL) is not None


def _holds(
    operator: str, key: str, expected: list[str], context: Mapping[str, str | tuple[str, ...]]
) -> bool:
    values = next((v for k, v in context.items() if k.lower() == key.lower()), None)
    if operator == "Null":
        return (values is None) == (expected[0] == "true")
    every, any_ = operator.startswith("ForAllValues:"), operator.startswith("ForAnyValue:")
    name = operator.split(":")[-1]
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name.startswith(("StringNot", "ArnNot", "NumericNot", "DateNot", "NotIp"))
    test = _test(name)
    # A key that the request lacks (IAM user guide, "Condition operators"): negated operators,
    # IfExists and ForAllValues hold then; ForAnyValue never does.
    if values is None:
        return if_exists or every or (negated and not any_)
    actual = _list(values)
    if negated:
        return all(not test(w, v) for v in actual for w in expected)
    matches = [any(test(w, v) for w in expected) for v in actual]
    return all(matches) if every else any(matches)


def _test(name: str) -> Callable[[str, str], bool]:
    """The test behind an operator, without its negation: wanted value, given value."""
    plain = name.replace("Not", "", 1)
    if plain not in _TESTS:
        raise NotImplementedError(f"the condition operator {name} is not known: add it here")
    return _TESTS[plain]


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda expected, actual: compare(float(actual), float(expected))


def _date(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    return lambda expected, actual: compare(_time(actual), _time(expected))


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_network(network: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda w, g: w == g,
    "StringEqualsIgnoreCase": lambda w, g: w.lower() == g.lower(),
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda w, g: w.lower() == g.lower(),
    "NumericEquals": _number(lambda g, w: g == w),
    "NumericLessThan": _number(lambda g, w: g < w),
    "NumericLessThanEquals": _number(lambda g, w: g <= w),
    "NumericGreaterThan": _number(lambda g, w: g > w),
    "NumericGreaterThanEquals": _number(lambda g, w: g >= w),
    "DateEquals": _date(lambda g, w: g == w),
    "DateLessThan": _date(lambda g, w: g < w),
    "DateLessThanEquals": _date(lambda g, w: g <= w),
    "DateGreaterThan": _date(lambda g, w: g > w),
    "DateGreaterThanEquals": _date(lambda g, w: g >= w),
    "IpAddress": _in_network,
}


def _list(value: Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [_text(v) for v in value]
    return [_text(value)]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
