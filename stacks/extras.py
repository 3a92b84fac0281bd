"""Whether what an extra of this package promises is installed, asked before it is imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

DISTRIBUTION = "aws-cordon"


def require(extra: str, user: str) -> None:
    """Exits with 2 and advice unless everything that the extra names is installed.

    `user` is who needs it, such as "`cordon lab`".
    """
    if absent := sorted(name for name in _names(extra) if not _installed(name)):
        print(
            f"cordon: {user} needs {', '.join(absent)}\n"
            f"  → Install it: pipx install --force '{DISTRIBUTION}[{extra}]', "
            f"or uv tool install --force '{DISTRIBUTION}[{extra}]'",
            file=sys.stderr,
        )
        sys.exit(2)


def _names(extra: str) -> Iterator[str]:
    """The distributions of an extra, those of the extras that it names among them."""
    for requirement in _requirements():
        specifier, _, marker = requirement.partition(";")
        if not re.search(rf"""extra == ['"]{extra}['"]""", marker):
            continue
        own = re.match(rf"{DISTRIBUTION}\[([\w,-]+)\]", specifier)
        if own:
            for inner in own[1].split(","):
                yield from _names(inner)
        else:
            yield re.split(r"[^\w.-]", specifier.strip())[0]


def _requirements() -> list[str]:
    try:
        return requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        # A checkout that nobody installed: its environment is made from pinned requirements.
        return []


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
