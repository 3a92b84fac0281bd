"""The organization's tagging rules hold for the kit too, before a tag policy refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract import TAG_RULES
from policies.rules import Conf, Plan, rule, tags


def judge(conf: Conf, plan: Plan) -> tuple[str, ...] | None:
    """Required tags are there, and each has an allowed value."""
    return _faults(tags(conf)) if "tags" in conf else None


def _faults(tags: Mapping[str, Any]) -> tuple[str, ...]:
    """Which tagging rules a resource breaks: a required tag missing, a value not allowed."""
    faults = [f"has no tag {r.key}" for r in TAG_RULES if r.required and r.key not in tags]
    faults += [
        f"has {r.key}={tags[r.key]}, allowed are {', '.join(r.values)}"
        for r in TAG_RULES
        if r.key in tags and not r.allows(str(tags[r.key]))
    ]
    return tuple(faults)


check = rule(
    "CKV_CORDON_16",
    "Everything carries the tags that the organization requires, with allowed values",
    ["aws_*"],
    "CONVENTION",
    judge,
    alone=True,
)
