"""One account is prepared by one stack: a second one is refused before it registers anything.

Names such as those of the roles are the account's only ones, so a second stack would fail half-way
and leave a paid key in each region. Every prepared resource has a tag with its stack's name; roles
are looked at, because they are the same from every region.
"""

from __future__ import annotations

import asyncio

import pulumi

from contract import IAM_PATH, TAG_STACK
from stacks.lookup import call
from stacks.reading import BadConfig


def this_stack() -> str:
    """`<project>/<stack>` of this deployment, as the tag has it."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}"


async def refuse_second_stack(former: str) -> None:
    """BadConfig when the account's roles were made by another stack than this one or `former`.

    Roles without the tag are from a version that did not set it; they may be anybody's.
    """
    roles = (await call("aws:iam/getRoles:getRoles", {"pathPrefix": IAM_PATH}))["names"]
    owners = set(await asyncio.gather(*(_owner(role) for role in sorted(roles))))
    if others := sorted(owners - {"", former, this_stack()}):
        raise BadConfig(
            "cordon:formerStack",
            f"this account is prepared by stack {others[0]}, and one stack prepares an account: "
            f"use that one, or, if {this_stack()} is the same one under a new name, set this to "
            f"{others[0]}",
        )


async def _owner(role: str) -> str:
    """The stack that a role's tag names; empty without the tag."""
    answer = await call("aws:iam/getRole:getRole", {"name": role})
    return (answer.get("tags") or {}).get(TAG_STACK, "")
