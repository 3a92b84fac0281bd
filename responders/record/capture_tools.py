"""The capture tools that are staged in the vault, each under the SHA-256 of its bytes.

A host that is examined fetches them from there by digest and checks them before they run. Nothing
is downloaded from anywhere else, and only responders may add to them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from contract import AVML_TOOLS, WINPMEM_TOOL, lime_tool, tool_key
from responders.errors import BadInput
from responders.record.vault import Vault

PREFIX = "tools/"
MOST = 32
"""Tools that fit into one command's parameter."""
LIMIT = 256 * 1024 * 1024
"""Bytes of a tool; those known have a few megabytes."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}")
_LIME = re.compile(re.escape(lime_tool("KERNEL")).replace("KERNEL", "[A-Za-z0-9._+~-]+"))


@dataclass(frozen=True)
class Tool:
    """One tool in the vault."""

    name: str
    sha256: str
    stored: datetime

    @property
    def pair(self) -> str:
        """As the documents take it."""
        return f"{self.name}={self.sha256}"


@dataclass(frozen=True)
class NewTool:
    """A tool that was read on this machine."""

    name: str
    sha256: str
    data: bytes


def is_known(name: str) -> bool:
    """Whether a capture would look for a tool of this name."""
    fixed = {*AVML_TOOLS.values(), WINPMEM_TOOL}
    return name in fixed or (_LIME.fullmatch(name) is not None and len(name) <= 128)


def staged(vault: Vault) -> list[Tool]:
    """All tools in the vault, those stored last first."""
    found = []
    for key, stored in vault.stored(PREFIX).items():
        digest, _, name = key.removeprefix(PREFIX).partition("/")
        if re.fullmatch("[0-9a-f]{64}", digest) and _NAME.fullmatch(name):
            found.append(Tool(name, digest, stored))
    return sorted(found, key=lambda t: (t.stored, t.sha256), reverse=True)


def choose(found: Iterable[Tool], platform: str, architecture: str) -> list[Tool]:
    """Those that can capture on such a host, the newest of each name, at most `MOST`.

    `platform` as Systems Manager says, `architecture` as EC2 says. AVML comes before LiME.
    """
    newest: dict[str, Tool] = {}
    for tool in found:
        newest.setdefault(tool.name, tool)
    if platform == "Windows":
        return [newest[WINPMEM_TOOL]] if WINPMEM_TOOL in newest else []
    avml = [t for name, t in newest.items() if name == AVML_TOOLS.get(architecture)]
    lime = [t for name, t in newest.items() if _LIME.fullmatch(name)]
    return (avml + lime)[:MOST]


def read(path: Path, name: str = "", sha256: str = "") -> NewTool:
    """A tool from this machine.

    BadInput when the name is none that a capture looks for, or the file is not what `sha256` says.
    """
    name = name or path.name
    if not is_known(name):
        known = ", ".join([*AVML_TOOLS.values(), WINPMEM_TOOL, lime_tool("<uname -r>")])
        raise BadInput(f"no capture looks for a tool named {name!r}", f"Name it one of {known}.")
    try:
        if path.stat().st_size > LIMIT:
            raise BadInput(f"{path} is too big to be a tool", f"At most {LIMIT >> 20} MiB.")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}", "Check the path.") from error
    if not data:
        raise BadInput(f"{path} is empty", "Check the path.")
    digest = hashlib.sha256(data).hexdigest()
    if sha256 and digest != sha256.lower():
        raise BadInput(
            f"{path} has SHA-256 {digest}, not {sha256}", "Get it again from where it is published."
        )
    return NewTool(name, digest, data)


def is_staged(vault: Vault, tool: NewTool) -> bool:
    """Whether the vault has this very tool."""
    return tool_key(tool.sha256, tool.name) in vault.sizes(tool_key(tool.sha256, tool.name))


def stage(vault: Vault, tool: NewTool) -> None:
    """Puts a tool into the vault; `AlreadyThere` when its key holds other bytes."""
    vault.append(tool_key(tool.sha256, tool.name), tool.data)
