"""Builds IAM policy documents: trust, merged statements, policies within IAM's size limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

POLICY_LIMIT = 6144
"""Characters of a managed policy, white space not counted (IAM user guide, "IAM quotas")."""
TRUST_LIMIT = 2048
"""Characters of a role's trust policy (same page)."""
POLICIES_PER_ROLE = 10
"""Managed policies that a role may have attached by default (same page)."""

Statement = dict[str, Any]


class Declared(Protocol):
    """A permission as code declares it: actions, ARN patterns, conditions."""

    @property
    def actions(self) -> tuple[str, ...]: ...
    @property
    def on(self) -> tuple[str, ...]: ...
    @property
    def when(self) -> Mapping[str, Mapping[str, str | list[str]]]: ...


@dataclass(frozen=True)
class Deployment:
    """Where policies are written: partition, account, and DNS suffix of service principals."""

    partition: str
    account: str
    dns_suffix: str = "amazonaws.com"

    def root(self, account: str = "") -> str:
        """ARN that stands for a whole account, this one unless another is given."""
        return f"arn:{self.partition}:iam::{account or self.account}:root"

    def role(self, path_and_name: str, account: str = "") -> str:
        """ARN of a role; the path begins and ends with `/`."""
        return f"arn:{self.partition}:iam::{account or self.account}:role{path_and_name}"


def document(statements: Sequence[Statement]) -> str:
    """A policy document as compact JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True)


def service_trust(service: str, source_account: str = "") -> str:
    """Trust policy for an AWS service; `source_account`: only on behalf of that account."""
    statement: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if source_account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": source_account}}
    return document([statement])


def people_trust(
    deployment: Deployment, principals: Sequence[str], *, require_mfa: bool, external_id: str = ""
) -> str:
    """Trust policy for people: MFA if asked, an external id for those of other accounts.

    Without MFA everybody needs the external id. ValueError for a principal with a wildcard, for
    none, and for one that needs an external id when there is none.
    """
    if not principals:
        raise ValueError("a role that people assume needs at least one principal")
    if wild := [p for p in principals if "*" in p or "?" in p]:
        raise ValueError(f"{wild[0]} has a wildcard: name each principal")
    own = [p for p in principals if p.split(":")[4] == deployment.account]
    other = [p for p in principals if p not in own]
    if other and not external_id:
        raise ValueError(f"{other[0]} is of another account, which needs an external id")
    if not require_mfa and not external_id:
        raise ValueError("without MFA the role needs an external id")
    named = {"StringEquals": {"sts:ExternalId": external_id}}
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if require_mfa else {}
    conditions = ((own, mfa or named), (other, {**mfa, **named}))
    return document([_trust(principals, when) for principals, when in conditions if principals])


def _trust(principals: Sequence[str], condition: Mapping[str, object]) -> Statement:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": sorted(principals)},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }


Fact = str | tuple[str, ...]
"""What a placeholder stands for. Of several values, each pattern that names it is written once."""


def merged(declared: Iterable[Declared], facts: Mapping[str, Fact]) -> list[Statement]:
    """Declarations as statements, `{partition}` and the like filled in from `facts`.

    Actions on the same resources under the same condition share a statement. A declaration whose
    placeholder stands for no value at all is left out: there is nothing that it would allow.
    ValueError for a placeholder that `facts` does not have.
    """
    actions: dict[tuple[tuple[str, ...], str], set[str]] = {}
    for permission in declared:
        on = tuple(sorted({text for pattern in permission.on for text in filled(pattern, facts)}))
        condition = _filled_condition(permission.when, facts)
        if on and condition is not None:
            key = (on, json.dumps(condition, sort_keys=True))
            actions.setdefault(key, set()).update(permission.actions)
    return [
        _statement(sorted(names), resources, json.loads(when))
        for (resources, when), names in sorted(actions.items())
    ]


Condition = dict[str, dict[str, str | list[str]]]


def _filled_condition(
    when: Mapping[str, Mapping[str, str | list[str]]], facts: Mapping[str, Fact]
) -> Condition | None:
    """The condition with its facts; None when a key is left without any value."""
    condition: Condition = {}
    for operator, keys in when.items():
        for key, values in keys.items():
            texts = [values] if isinstance(values, str) else values
            resolved = [text for pattern in texts for text in filled(pattern, facts)]
            if not resolved:
                return None
            condition.setdefault(operator, {})[key] = (
                resolved[0] if len(resolved) == 1 and isinstance(values, str) else resolved
            )
    return condition


def _statement(
    actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, object]
) -> Statement:
    statement: Statement = {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources) if len(resources) > 1 else resources[0],
    }
    return {**statement, "Condition": condition} if condition else statement


_PLACEHOLDER = re.compile(r"(?<!\$)\{(\w+)\}")


def filled(text: str, facts: Mapping[str, Fact]) -> list[str]:
    """The text with each `{name}` replaced by its fact, once for every value of a fact.

    IAM's own `${…}` variables stay. ValueError for a name without a fact.
    """
    texts = [text]
    for name in dict.fromkeys(_PLACEHOLDER.findall(text)):
        if name not in facts:
            raise ValueError(f"{{{name}}} in a declared permission stands for nothing")
        fact = facts[name]
        values = (fact,) if isinstance(fact, str) else fact
        spot = re.compile(rf"(?<!\$)\{{{name}\}}")
        texts = [value.join(spot.split(variant)) for variant in texts for value in values]
    return texts


def packed(statements: Sequence[Statement], limit: int = POLICY_LIMIT) -> list[list[Statement]]:
    """Statements shared out over as few policies of at most `limit` characters as come easily.

    ValueError when there are more than a role may have.
    """
    policies: list[list[Statement]] = []
    for piece in (piece for whole in statements for piece in _pieces(whole, limit)):
        if (size := _size([piece])) > limit:
            raise ValueError(
                f"the statement about {piece['Action'][0]} has {size} characters; a policy takes "
                f"{limit}: name fewer accounts or resources"
            )
        room = next((p for p in policies if _size([*p, piece]) <= limit), None)
        if room is None:
            policies.append([piece])
        else:
            room.append(piece)
    if len(policies) > POLICIES_PER_ROLE:
        raise ValueError(
            f"the declared permissions need {len(policies)} policies; "
            f"a role can have {POLICIES_PER_ROLE}"
        )
    return policies


def _pieces(statement: Statement, limit: int) -> list[Statement]:
    """The statement, or several with fewer actions each when it is too long for one policy."""
    actions = statement["Action"]
    if _size([statement]) <= limit or len(actions) < 2:
        return [statement]
    half = len(actions) // 2
    return [
        piece
        for part in (actions[:half], actions[half:])
        for piece in _pieces({**statement, "Action": part}, limit)
    ]


def _size(statements: Sequence[Statement]) -> int:
    return len(re.sub(r"\s", "", document(statements)))
