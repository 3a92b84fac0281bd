"""Who makes a call: the owner of its access key, as IAM and STS (of moto) know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from lab.gate.call import Call


@dataclass(frozen=True)
class Session:
    """Temporary credentials: `issuer` is the ARN of the user or role that they stand for.

    `made_by` is the access key that minted them; `name` the federated user's or role session's.
    """

    access_key: str
    kind: str
    made_by: str
    name: str
    arn: str
    principal_id: str
    issuer: str
    created: datetime


@dataclass(frozen=True)
class Identity:
    """An identity as CloudTrail's `userIdentity` tells it: `kind` is its `type`."""

    kind: str
    principal_id: str
    arn: str
    account: str
    access_key: str
    user_name: str = ""
    session: Session | None = None


def identity_of(call: Call) -> Identity:
    """The identity behind a call's access key. A key that IAM does not know is the lab's owner."""
    partition = get_partition(call.region)
    session = sessions(call.account, partition).get(call.access_key)
    if session is not None:
        name = session.issuer.rsplit("/", 1)[-1] if session.kind == "IAMUser" else ""
        return Identity(
            session.kind,
            session.principal_id,
            session.arn,
            call.account,
            call.access_key,
            name,
            session,
        )
    user = iam_backends[call.account][partition].get_user_from_access_key_id(call.access_key)
    if user is not None:
        return Identity("IAMUser", user.id, user.arn, call.account, call.access_key, user.name)
    backend = sts_backends[call.account][partition]
    principal, arn, _ = backend.get_caller_identity(call.access_key, call.region)
    kind = "AssumedRole" if ":assumed-role/" in arn else "IAMUser"
    return Identity(kind, principal, arn, call.account, call.access_key, arn.rsplit("/", 1)[-1])


def principal_arn(identity: Identity) -> str:
    """`aws:PrincipalArn`: of a role session, the role's ARN with its path; else the own ARN."""
    if identity.kind == "AssumedRole" and identity.session is not None:
        return identity.session.issuer
    return identity.arn


def sessions(account: str, partition: str) -> dict[str, Session]:
    """The temporary credentials of an account, by access key. They end with moto's own state."""
    backend: Any = sts_backends[account][partition]
    sessions: dict[str, Session] = backend.__dict__.setdefault("lab_sessions", {})
    return sessions


def now() -> datetime:
    """The time, UTC, whole seconds: what CloudTrail and IAM keep."""
    return datetime.now(UTC).replace(microsecond=0)
