"""Finds what a key or principal did, in every region, and what came of it.

`hunt` is the way in; a subject is made by `key`, `principal` or `everything`.
"""

from __future__ import annotations

from responders.hunt.ask import everything, key, principal, since
from responders.hunt.chase import Progress
from responders.hunt.findings import Findings
from responders.hunt.hunting import Extras, hunt
from responders.hunt.subjects import Subject

__all__ = [
    "Extras",
    "Findings",
    "Progress",
    "Subject",
    "everything",
    "hunt",
    "key",
    "principal",
    "since",
]
