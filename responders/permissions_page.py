"""Writes `docs/permissions.md` from what the code declares (`make docs`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from contract import READING_VERBS
from responders.permissions import Permission, declarations

HEAD = """# Permissions

What the responder role may do, and why. This page is generated from the declarations beside the
code (`make docs`); the role is generated from the same declarations. `{partition}`, `{account}`,
`{vault}` and `{vault_key}` stand for the account's own; `{evidence_account}` for each account that
`cordon:evidenceAccounts` names, `{evidence_organization}` for the organization where it is named
there, `{examiner}` for this account if either is, and `{trail_key}` for each key of
`cordon:trailKeys`. What names one of these is left out of the role where none is configured.

The last column names the risk that remains: what somebody who took over the role could do with
that permission. The role asks for MFA or an external id, so that is a second line of defence.

"""


def page() -> str:
    """The page, in Markdown."""
    return HEAD + "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    for owner, permissions in declarations():
        yield f"## {owner}\n"
        yield "| IAM actions | on | condition | because | remaining risk |"
        yield "|---|---|---|---|---|"
        yield from (_row(permission) for permission in permissions)
        yield ""


def _row(permission: Permission) -> str:
    conditions = [
        f"{operator} {key} = {value if isinstance(value, str) else ', '.join(value)}"
        for operator, block in permission.when.items()
        for key, value in block.items()
    ]
    cells = (
        _code(permission.actions),
        _code(permission.on),
        _code(conditions),
        permission.because,
        permission.risk or "none beyond reading" if _reads(permission) else permission.risk or "-",
    )
    return "| " + " | ".join(cells) + " |"


def _code(lines: tuple[str, ...] | list[str]) -> str:
    return "<br>".join(f"`{line}`" for line in lines)


def _reads(permission: Permission) -> bool:
    return all(action.split(":")[1].startswith(READING_VERBS) for action in permission.actions)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
