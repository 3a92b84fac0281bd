"""Responders find what is prepared by its tags: what has none is not there when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract import TAG_KIT, TAG_PURPOSE, Purpose
from policies.rules import Conf, Plan, rule, tags


def judge(conf: Conf, plan: Plan) -> tuple[str, ...] | None:
    """Whatever can be tagged carries the kit's version and a known purpose."""
    return _faults(tags(conf)) if "tags" in conf else None


def _faults(tags: Mapping[str, Any]) -> tuple[str, ...]:
    """Which of the kit's own tags a prepared resource lacks or has wrong."""
    faults = [] if tags.get(TAG_KIT) else [f"has no tag {TAG_KIT}"]
    if tags.get(TAG_PURPOSE) not in list(Purpose):
        faults.append(f"has no tag {TAG_PURPOSE} of a known purpose")
    return tuple(faults)


check = rule(
    "CKV_CORDON_15",
    "Everything that the kit prepares carries its tags",
    ["aws_*"],
    "CONVENTION",
    judge,
    alone=True,
)
