"""What an earlier `up` left in the account, as the tags of the kit's roles tell.

A program does not see its own state. So what must not be lost by a change of the settings is
written onto roles, which are the same from every region: the stack's name onto all, the vault onto
the analyst role, the prepared regions onto the responder role.
"""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi

from contract import IAM_PATH, TAG_REGIONS, TAG_STACK, TAG_VAULT
from stacks.lookup import call

TAG_VALUE_LENGTH = 256
"""Characters of a tag's value (IAM quotas)."""


@dataclass(frozen=True)
class Before:
    """Stacks as `<project>/<stack>`, the vault's bucket or nothing, the regions.

    Empty where nothing was prepared, or by a version that wrote no such tags.
    """

    stacks: frozenset[str] = frozenset()
    vault: str = ""
    regions: frozenset[str] = frozenset()


def this_stack() -> str:
    """`<project>/<stack>` of this deployment, as the tag has it."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}"


def region_tags(regions: Iterable[str]) -> dict[str, str]:
    """The tags that list the regions: as many as their values need."""
    # Names are neither broken nor split at their hyphens, so that each can be read back.
    lines = textwrap.wrap(
        " ".join(sorted(regions)), TAG_VALUE_LENGTH, break_long_words=False, break_on_hyphens=False
    )
    return {f"{TAG_REGIONS}-{number}": line for number, line in enumerate(lines, 1)}


async def before() -> Before:
    """Reads the tags of all roles under the kit's path."""
    roles = (await call("aws:iam/getRoles:getRoles", {"pathPrefix": IAM_PATH}))["names"]
    tags = await asyncio.gather(*(_tags(role) for role in sorted(roles)))
    return Before(
        frozenset(t[TAG_STACK] for t in tags if TAG_STACK in t),
        next((t[TAG_VAULT] for t in tags if TAG_VAULT in t), ""),
        frozenset(
            region
            for t in tags
            for key, value in t.items()
            if key.startswith(f"{TAG_REGIONS}-")
            for region in value.split()
        ),
    )


async def _tags(role: str) -> Mapping[str, str]:
    return (await call("aws:iam/getRole:getRole", {"name": role})).get("tags") or {}
