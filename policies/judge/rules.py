"""The rules: what a policy document must not say, because AWS would not understand it as meant.

Each rule yields findings. What an Allow names and AWS doesn't know is never granted; what a Deny
names and AWS doesn't know is never denied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from policies.judge import reference
from policies.judge.document import Document, Kind, Statement
from policies.judge.patterns import arns_meet, fits
from policies.judge.reference import Action

NEGATED = ("StringNot", "ArnNot", "NumericNot", "DateNot", "NotIp")
"""How operators begin that hold when the key is absent (IAM user guide, "Condition operators")."""
REQUEST_KEYS = ("aws:RequestTag/*", "aws:TagKeys", "aws:ResourceTag/*", "ec2:*", "s3:*", "kms:*")
"""Keys that a request may lack; the caller's own are always there."""


@dataclass(frozen=True)
class Finding:
    """`check` is the rule, `address` what a waiver's pattern is matched with, `detail` the rest."""

    check: str
    address: str
    detail: str

    def __str__(self) -> str:
        return f"{self.address}: {self.detail} [{self.check}]"


Rule = Callable[[Document, Statement], Iterator[tuple[str, str]]]
"""Yields what a statement has wrong: the subject, and what is wrong with it."""
HolderRule = Callable[[Mapping[str, set[str]]], Iterator[tuple[str, str]]]
"""The same for all that one identity is allowed: actions to resource patterns."""


def judge(documents: Iterable[Document]) -> list[Finding]:
    """Every finding of every rule, of documents alone and of what a holder has together."""
    documents = list(documents)
    findings = [
        Finding(check, f"{document.name}/{statement.name}/{subject}", detail)
        for document, (check, rule) in product(documents, RULES.items())
        for statement in document.statements
        for subject, detail in rule(document, statement)
    ]
    return [*findings, *judge_holders(documents)]


def _actions(statement: Statement) -> Iterator[tuple[str, tuple[Action, ...]]]:
    """Each pattern of an action with what it stands for; those that nobody knows are left out."""
    for pattern in statement.actions:
        if pattern != "*" and not pattern.endswith(":*") and (known := _known(pattern)):
            yield pattern, known


def _known(pattern: str) -> tuple[Action, ...]:
    if "*" in pattern or "?" in pattern:
        return reference.matching(pattern)
    action = reference.action(pattern)
    return (action,) if action else ()


def unknown_action(document: Document, statement: Statement) -> Iterator[tuple[str, str]]:
    """Every action exists, and every pattern of actions stands for at least one."""
    for pattern in statement.actions:
        if pattern != "*" and not _known(pattern):
            yield pattern, "AWS knows no such action"


def unsupported_resource(document: Document, statement: Statement) -> Iterator[tuple[str, str]]:
    """Every action takes one of the resources named, and each resource is taken by an action."""
    if "*" in statement.resources or document.kind is Kind.TRUST:
        return
    met: set[str] = set()
    for pattern, known in _actions(statement):
        supported = {r for r, action in product(statement.resources, known) if action.types_of(r)}
        met |= supported
        if not supported:
            only = "" if any(action.takes_resources for action in known) else "; it knows `*` only"
            yield pattern, f"takes none of {', '.join(statement.resources)}{only}"
    if len(list(_actions(statement))) == len(statement.actions):
        for resource in statement.resources:
            if resource not in met:
                yield resource, "no action of the statement takes this resource"


def unsupported_key(document: Document, statement: Statement) -> Iterator[tuple[str, str]]:
    """Every action has the condition's key on every resource type that the statement speaks of.

    A pattern of actions needs one that has the key: what it stands for beside is not meant.
    """
    if document.kind is Kind.TRUST:
        return
    for (pattern, known), (_, key, _) in product(_actions(statement), statement.conditions):
        lacking = [kind for action in known for kind in _lacking(action, key, statement.resources)]
        if len(known) > 1 and any(
            not list(_lacking(action, key, statement.resources)) for action in known
        ):
            continue
        for kind in dict.fromkeys(lacking):
            yield f"{pattern} {key}", f"the action has no such key{kind}"


def _lacking(action: Action, key: str, resources: Iterable[str]) -> Iterator[str]:
    """On which of the resources an action has no such key, as words."""
    if not action.takes_resources:
        if not action.has_key(key, None):
            yield ""
        return
    for resource in resources:
        types = action.types_of(resource)
        # Of `*`, the statement is meant for those types that have the key.
        if resource == "*" and any(action.has_key(key, kind) for kind in types):
            continue
        yield from (f" on {kind.name}" for kind in types if not action.has_key(key, kind))


def void_when_absent(document: Document, statement: Statement) -> Iterator[tuple[str, str]]:
    """No condition of an Allow holds, and none of a Deny fails, only because a key is absent."""
    present = {
        key.lower()
        for operator, key, values in statement.conditions
        if operator == "Null" and values == ["false"]
    }
    for operator, key, _ in statement.conditions:
        if key.lower() in present or not any(fits(pattern, key) for pattern in REQUEST_KEYS):
            continue
        if statement.allows and _holds_without_key(operator):
            yield f"{operator} {key}", "holds when the request has no such key: add a Null test"
        if not statement.allows and operator.startswith(("ForAnyValue:", "ForAllValues:")):
            yield f"{operator} {key}", "a request without the key is judged otherwise than meant"


def _holds_without_key(operator: str) -> bool:
    name = operator.rpartition(":")[2]
    if operator.startswith("ForAnyValue:"):
        return False
    return (
        operator.startswith("ForAllValues:")
        or name.endswith("IfExists")
        or name.startswith(NEGATED)
    )


def foreign_partition(document: Document, statement: Statement) -> Iterator[tuple[str, str]]:
    """No ARN is of another partition than the document's own."""
    texts = [*statement.resources, *(v for _, _, values in statement.conditions for v in values)]
    for text in texts:
        if text.startswith("arn:") and not fits(text.split(":")[1], document.partition):
            yield text, f"is not of the partition {document.partition}"


RULES: dict[str, Rule] = {
    "unknown-action": unknown_action,
    "unsupported-resource": unsupported_resource,
    "unsupported-key": unsupported_key,
    "void-when-absent": void_when_absent,
    "foreign-partition": foreign_partition,
}


def judge_holders(documents: Iterable[Document]) -> Iterator[Finding]:
    """What one identity's documents lack together: resources of a call, and dependent actions."""
    by_holder: dict[str, list[Statement]] = {}
    for document in documents:
        for holder in document.holders:
            by_holder.setdefault(holder, []).extend(document.statements)
    for holder, statements in sorted(by_holder.items()):
        allowed = _allowed(statements)
        for check, rule in HOLDER_RULES.items():
            for subject, detail in rule(allowed):
                yield Finding(check, f"{holder}/{subject}", detail)


def _allowed(statements: Iterable[Statement]) -> dict[str, set[str]]:
    """Each action that is allowed, to the resource patterns that it is allowed on."""
    allowed: dict[str, set[str]] = {}
    for statement in statements:
        if statement.allows:
            for pattern in statement.actions:
                allowed.setdefault(pattern, set()).update(statement.resources)
    return allowed


def missing_dependent(allowed: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Whoever may do something may do what AWS does with it in the caller's name."""
    for pattern in sorted(allowed):
        for need in sorted(need for action in _known(pattern) for need in action.depends_on):
            if not any(fits(other, need) for other in allowed):
                yield f"{pattern} {need}", f"{pattern} needs {need}, which the holder may not do"


def missing_resource(allowed: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """An action that needs several resources at once is allowed on each type of them."""
    for pattern, resources in sorted(allowed.items()):
        action = reference.action(pattern)
        for kind in action.types if action and "*" not in resources else ():
            if kind.required and kind.name and not any(arns_meet(r, kind.arn) for r in resources):
                yield f"{pattern} {kind.name}", f"{pattern} also needs to be allowed on {kind.name}"


HOLDER_RULES: dict[str, HolderRule] = {
    "missing-dependent": missing_dependent,
    "missing-resource": missing_resource,
}
