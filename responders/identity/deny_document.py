"""Policies that deny: what a revocation writes on a user or a role. Pure: nothing here calls AWS.

A session carries the time it was issued, `aws:TokenIssueTime`; a long-term key carries none. So
"deny what was issued before the cut-off" stops every session minted until then, and no key (IAM
user guide, "Revoke IAM role temporary security credentials"). An explicit deny wins over every
allow, also over those of resource policies.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from contract import deny_policy_name

Document = Mapping[str, Any]
"""An IAM policy document."""

AHEAD = timedelta(seconds=30)
"""How far after the response began the cut-off lies, so that no session refreshed meanwhile lives
on."""
INLINE_LIMITS = {"user": 2_048, "role": 10_240}
"""Characters of all inline policies of one identity, white space not counted (IAM quotas)."""
NAME_LIMIT = 128
"""Characters of a policy's name."""
EVERYTHING = "=all"
"""Scope of the policy that denies everything; no case id, instance or session begins so."""

_ISSUED = ("DateLessThan", "aws:TokenIssueTime")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def cut_off(began: datetime) -> datetime:
    """The moment before which sessions are denied: 30 s after the response began, whole seconds."""
    ahead = began.astimezone(UTC) + AHEAD
    return ahead.replace(microsecond=0) + timedelta(seconds=1 if ahead.microsecond else 0)


def sessions_before(moment: datetime, userid: str = "") -> Document:
    """Denies all to sessions issued before `moment`; only to those that `userid` matches, if given.

    `userid` is a pattern of `aws:userid`: see `instance_sessions` and `named_session`.
    """
    operator, key = _ISSUED
    return _deny(
        "CordonSessions",
        {operator: {key: moment.astimezone(UTC).strftime(_MOMENT)}, **_only(userid)},
    )


def everything(userid: str = "") -> Document:
    """Denies all, to long-term keys, passwords and sessions alike, old and new."""
    return _deny("CordonEverything", _only(userid))


def instance_sessions(role_id: str, instance: str) -> str:
    """The `aws:userid` of a role's sessions on one EC2 instance. `role_id` is the `AROA…` id."""
    return f"{role_id}:{instance}*"


def named_session(role_id: str, name: str) -> str:
    """The `aws:userid` of a role's sessions of one name; a name can hold no wildcard."""
    return f"{role_id}:{name}"


def is_deny(document: Document | None) -> bool:
    """Whether a document does nothing but deny, as all of the kit's do."""
    statements = document.get("Statement") if document else None
    return bool(statements) and all(
        isinstance(statement, dict) and statement.get("Effect") == "Deny"
        for statement in (statements if isinstance(statements, list) else [statements])
    )


def policy_name(case: str, scope: str = "") -> str:
    """Name of the policy of a case for one scope: everything it denies has a policy of its own.

    `scope` is empty (all sessions), `EVERYTHING`, or what narrows it: an instance, a session name,
    a key id. So two responses of one case on one role never overwrite each other.
    """
    name = deny_policy_name(case)
    if scope:
        name += scope if scope == EVERYTHING else f"@{scope}"
    return shortened(name)


def shortened(name: str) -> str:
    """The name, or a unique one of 128 characters for a longer one."""
    if len(name) <= NAME_LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: NAME_LIMIT - 17]}={digest}"


def text(document: Document) -> str:
    """The document as the API wants it, in one byte form."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def size(document: Document) -> int:
    """Characters that count towards the quota: all but white space."""
    return len(re.sub(r"\s", "", text(document)))


def room(kind: str, others: Iterable[Document]) -> int:
    """Characters left for another inline policy of a `user` or `role` that has these others."""
    return INLINE_LIMITS[kind] - sum(size(document) for document in others)


def covers(found: Document | None, wanted: Document) -> bool:
    """Whether `found` denies at least what `wanted` does: the same, or with a later cut-off."""
    if found is None or found == wanted:
        return found is not None
    ours, theirs = _issued(wanted), _issued(found)
    if ours is None or theirs is None or theirs < ours:
        return False
    return bool(_without_moment(found) == _without_moment(wanted))


def _deny(sid: str, condition: Mapping[str, object]) -> Document:
    statement: dict[str, object] = {"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*"}
    if condition:
        statement["Condition"] = dict(condition)
    return {"Version": "2012-10-17", "Statement": [statement]}


def _only(userid: str) -> Mapping[str, object]:
    return {"StringLike": {"aws:userid": userid}} if userid else {}


def _issued(document: Document) -> datetime | None:
    operator, key = _ISSUED
    try:
        moment = document["Statement"][0]["Condition"][operator][key]
        return datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _without_moment(document: Document) -> object:
    operator, key = _ISSUED
    copy = json.loads(text(document))
    del copy["Statement"][0]["Condition"][operator][key]
    return copy
