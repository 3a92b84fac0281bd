"""IAM permissions, declared beside the code that uses them.

The responder role is generated from these declarations (by the account stack), documented from
them (`docs/permissions.md`), and tested against the calls that the test suite records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Condition = Mapping[str, Mapping[str, str | list[str]]]


@dataclass(frozen=True)
class Permission:
    """Some IAM actions on some resources, under some condition.

    `on` holds ARN patterns; `{partition}` and `{account}` stand for the account's own. `because`
    says what the action is for; `risk` what a thief of the responder role could still do with it.
    """

    actions: tuple[str, ...]
    on: tuple[str, ...] = ("*",)
    when: Condition = field(default_factory=dict)
    because: str = ""
    risk: str = ""


def allow(
    *actions: str,
    on: str | tuple[str, ...] = ("*",),
    when: Condition | None = None,
    because: str = "",
    risk: str = "",
) -> Permission:
    """Shorthand for `Permission`."""
    return Permission(actions, (on,) if isinstance(on, str) else on, when or {}, because, risk)


def ec2(kind: str) -> str:
    """ARN pattern of this account's EC2 resources of one kind, such as `network-interface`."""
    return f"arn:{{partition}}:ec2:*:{{account}}:{kind}/*"
