"""Authorization as IAM does it, for role sessions: off until switched on.

Moto's own ignores conditions. This layer judges each call of a role session by the role's inline
and attached policies. A call is allowed if, for each question that it asks (`lab.asked`), a
statement allows it and none denies it (IAM user guide, "Policy evaluation logic").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from lab.asked import Asker
from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import AwsError, Response
from lab.iam_actions import FREE, action_of
from lab.identity import identity_of, principal_arn
from lab.policy import allowed_by, denied_by, statements


class Authorization:
    """The layer for the door, and its switch."""

    def __init__(self) -> None:
        self._on = False
        self.refused: list[str] = []

    @contextmanager
    def enforced(self) -> Iterator[Authorization]:
        """Judges role sessions inside the block; `refused` then lists what was not allowed."""
        self._on = True
        self.refused = []
        try:
            yield self
        finally:
            self._on = False

    def layer(self, call: Call, proceed: Proceed) -> Response:
        """Refuses what the caller's role does not allow."""
        if self._on and call.model is not None:
            self._judge(call)
        return proceed()

    def _judge(self, call: Call) -> None:
        identity = identity_of(call)
        if identity.kind != "AssumedRole" or action_of(call.service, call.operation) in FREE:
            return
        role = principal_arn(identity)
        role_statements = _role_statements(call, role)
        for question in Asker(call, role).questions():
            if denied_by(role_statements, question) or not allowed_by(role_statements, question):
                refused = str(question)
                self.refused.append(refused)
                code = "UnauthorizedOperation" if call.service == "ec2" else "AccessDenied"
                raise AwsError(code, f"{role} is not authorized to perform: {refused}", 403)


def _role_statements(call: Call, arn: str) -> list[Mapping[str, Any]]:
    backend = iam_backends[call.account][get_partition(call.region)]
    role = next(r for r in backend.get_roles() if r.arn == arn)
    versions = [v for p in role.managed_policies.values() for v in p.versions if v.is_default]
    documents = [*role.policies.values(), *(version.document for version in versions)]
    return [statement for document in documents for statement in statements(document)]
