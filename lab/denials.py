"""A denial of everything in an identity's own policies binds: so revoked sessions are refused.

Moto judges policies only when told to, and then without conditions. This layer is always on. It
looks at statements that deny and concern every resource, of the user or the role behind a call,
and of the user behind a session or a federation token; what is allowed it does not ask. (IAM user
guide, "Policy evaluation logic", "Revoke IAM role temporary security credentials".)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from lab.faults import denied
from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import Response
from lab.iam_actions import FREE, action_of
from lab.identity import Identity, identity_of, principal_arn
from lab.policy import Asked, denied_by, statements


def refuse_denied(call: Call, proceed: Proceed) -> Response:
    """A layer for the door."""
    if call.model is not None:
        action = action_of(call.service, call.operation)
        identity = identity_of(call)
        denials = list(_denials(call, identity)) if action not in FREE else []
        if denials and denied_by(denials, Asked(action, context=_context(call, identity))):
            raise denied(call, "an explicit deny in an identity-based policy forbids")
    return proceed()


def _denials(call: Call, identity: Identity) -> Iterator[Mapping[str, Any]]:
    for document in _documents(call, identity):
        if '"Deny"' in document:
            for statement in statements(document):
                if statement["Effect"] == "Deny" and statement.get("Resource") in ("*", ["*"]):
                    yield statement


def _documents(call: Call, identity: Identity) -> Iterator[str]:
    """Inline and attached policies of the user or role behind the call or its session."""
    backend: Any = iam_backends[call.account][get_partition(call.region)]
    source = identity.session.issuer if identity.session else identity.arn
    for owner in (*backend.users.values(), *backend.roles.values()):
        if owner.arn == source:
            yield from owner.policies.values()
            for attached in owner.managed_policies.values():
                yield next(v.document for v in attached.versions if v.is_default)


def _context(call: Call, identity: Identity) -> dict[str, str]:
    context = {
        "aws:PrincipalArn": principal_arn(identity),
        "aws:PrincipalAccount": identity.account,
        "aws:userid": identity.principal_id,
        "aws:RequestedRegion": call.region,
        "aws:SecureTransport": "true",
        "aws:CurrentTime": datetime.now(UTC).isoformat(),
    }
    if identity.session is not None:
        context["aws:TokenIssueTime"] = identity.session.created.isoformat()
    return context
