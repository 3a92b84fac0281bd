"""The parts of an instance's record: each file has some of them, and what they may read."""

from __future__ import annotations

from responders.actions.record_parts import activity, identity, machine, network, storage
from responders.actions.record_parts.part import Part
from responders.permissions import Permission

MODULES = (machine, network, storage, identity, activity)
PARTS: dict[str, Part] = {name: part for module in MODULES for name, part in module.PARTS.items()}
"""File name, below the instance's id, to what makes its content."""
PERMISSIONS: tuple[Permission, ...] = tuple(p for module in MODULES for p in module.PERMISSIONS)
