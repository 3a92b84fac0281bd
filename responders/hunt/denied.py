"""Whether a user or role is denied everything now, or every session issued before some moment.

Only a statement counts that denies every action on every resource, under no condition but the time
of issue (and, for one session, the session's name): such a deny no allow can undo.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from contract import IAM_PATH
from responders.aws import Aws, code_of, explain
from responders.json_values import Json

_CUT = {("DateLessThan", "aws:TokenIssueTime")}


@dataclass(frozen=True)
class Denial:
    """What is denied: `everything`, or the sessions issued before `before`; by session name."""

    everything: bool = False
    before: datetime | None = None
    sessions: Mapping[str, datetime] | None = None

    def cuts(self, session: str, issued: datetime) -> bool:
        """Whether a session of this name (empty: a user's), issued then, can do nothing."""
        moments = [self.before, (self.sessions or {}).get(session) if session else None]
        return self.everything or any(moment is not None and issued < moment for moment in moments)


class Denials:
    """Reads the policies of each principal once; safe for several threads. Nothing raises.

    What could not be read counts as not denied, and is in `errors`.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._known: dict[tuple[str, str], Denial] = {}
        self._lock = threading.Lock()
        self.errors: list[str] = []

    def of(self, kind: str, name: str) -> Denial:
        """Of a `user` or `role`, by name; nothing is known of one that an event does not name."""
        if not name:
            return Denial()
        with self._lock:
            if (kind, name) not in self._known:
                self._known[kind, name] = self._read(kind, name)
            return self._known[kind, name]

    def cut(self, holder: str, issued: datetime) -> bool:
        """Whether sessions of an ARN (user, role, or role session), issued then, are denied."""
        parts = holder.split(":", 5)
        service, resource = (parts[2], parts[5]) if len(parts) == 6 else ("", "")
        match (service, resource.split("/")):
            case ("sts", ["assumed-role", role, session]):
                return self.of("role", role).cuts(session, issued)
            case ("iam", ["user" | "role" as kind, *_, name]):
                return self.of(kind, name).cuts("", issued)
        return False

    def _read(self, kind: str, name: str) -> Denial:
        try:
            return _denial(self._documents(kind, name))
        except Exception as error:
            if code_of(error) != "NoSuchEntity":
                trouble = f"whether {kind} {name} is denied everything could not be told"
                self.errors.append(f"{trouble}: {explain(error)}")
            return Denial()

    def _documents(self, kind: str, name: str) -> Iterator[Json]:
        """Inline policies, and those attached from the kit's own path."""
        # The operations of users and roles are alike but for the word in their names.
        iam: Any = self._aws.client("iam")
        owner = {f"{kind.title()}Name": name}
        pages = iam.get_paginator(f"list_{kind}_policies").paginate(**owner)
        for policy in (entry for page in pages for entry in page["PolicyNames"]):
            answer = getattr(iam, f"get_{kind}_policy")(**owner, PolicyName=policy)
            yield answer["PolicyDocument"]
        pages = iam.get_paginator(f"list_attached_{kind}_policies").paginate(**owner)
        for arn in (entry["PolicyArn"] for page in pages for entry in page["AttachedPolicies"]):
            if f":policy{IAM_PATH}" in arn:
                version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
                answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
                yield answer["PolicyVersion"]["Document"]


def _denial(documents: Iterator[Json]) -> Denial:
    everything, before, sessions = False, None, {}
    for statement in (statement for document in documents for statement in _statements(document)):
        conditions = statement.get("Condition") or {}
        pairs = {(op, key) for op, keys in conditions.items() for key in keys}
        if not pairs:
            everything = True
            continue
        moment = _moment(conditions)
        extra = pairs - _CUT
        if moment is None:
            continue
        if not extra:
            before = max(before, moment) if before else moment
        elif {key for _, key in extra} == {"aws:userid"} and len(extra) == 1:
            ((operator, key),) = extra
            for pattern in _texts(conditions[operator][key]):
                sessions[pattern.partition(":")[2]] = moment
    return Denial(everything, before, sessions)


def _statements(document: Json) -> Iterator[Mapping[str, Json]]:
    """Statements that deny every action on every resource."""
    if isinstance(document, str):
        document = json.loads(unquote(document))
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if (
            statement.get("Effect") == "Deny"
            and "*" in _texts(statement.get("Action"))
            and "*" in _texts(statement.get("Resource"))
        ):
            yield statement


def _moment(conditions: Mapping[str, Json]) -> datetime | None:
    value = (conditions.get("DateLessThan") or {}).get("aws:TokenIssueTime")
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _texts(value: Json) -> Sequence[str]:
    if value is None:
        return ()
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
