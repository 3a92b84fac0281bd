"""All inline policies of an identity together have a limit, and so have its managed ones.

Moto takes any number of any size. IAM user guide, "IAM and AWS STS quotas": 2,048 characters for a
user, 10,240 for a role, 5,120 for a group, white space not counted; ten managed policies attached.
The error's code is `LimitExceeded`.
"""

from __future__ import annotations

import re
from typing import Any

from lab.backends import partitional
from lab.gate.answers import check
from lab.gate.call import Call
from lab.gate.wire import AwsError

_LIMITS = {"User": 2_048, "Role": 10_240, "Group": 5_120}
_MOST_MANAGED = 10


def mend() -> None:
    """Refuses what is over."""
    for kind in _LIMITS:
        check("iam", f"Put{kind}Policy")(_check_size)
        check("iam", f"Attach{kind}Policy")(_check_number)


def _check_size(call: Call) -> None:
    kind, identity = _identity(call)
    policies = {**identity.policies, call.params["PolicyName"]: call.params["PolicyDocument"]}
    size = sum(len(re.sub(r"\s", "", text)) for text in policies.values())
    if size > _LIMITS[kind]:
        raise AwsError(
            "LimitExceeded",
            f"Maximum policy size of {_LIMITS[kind]} bytes exceeded for {kind.lower()} "
            f"{identity.name}",
            409,
        )


def _check_number(call: Call) -> None:
    kind, identity = _identity(call)
    others = set(identity.managed_policies) - {call.params["PolicyArn"]}
    if len(others) >= _MOST_MANAGED:
        raise AwsError(
            "LimitExceeded",
            f"Cannot exceed quota for PoliciesPer{kind}: {_MOST_MANAGED}",
            409,
        )


def _identity(call: Call) -> tuple[str, Any]:
    """The kind and moto's model of the user, role or group that a call names."""
    kind = next(kind for kind in _LIMITS if f"{kind}Name" in call.params)
    get = getattr(partitional(call, "iam"), f"get_{kind.lower()}")
    return kind, get(call.params[f"{kind}Name"])
