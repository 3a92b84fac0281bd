"""Patterns with `*` and `?`: whether one fits a text, and whether two can mean the same ARN."""

from __future__ import annotations

import re
from functools import cache

SEGMENTS = 6
"""Parts of an ARN, separated by colons; the last may hold colons of its own."""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(wild, re.IGNORECASE | re.DOTALL)


def fits(pattern: str, text: str) -> bool:
    """Whether the pattern matches all of the text, in any case of letters."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def arns_meet(pattern: str, template: str) -> bool:
    """Whether some ARN fits both a policy's pattern and the reference's `${…}` template."""
    left, right = pattern.split(":", SEGMENTS - 1), template.split(":", SEGMENTS - 1)
    if len(left) < SEGMENTS or len(right) < SEGMENTS:
        return False
    bucket_only = right[-1] == "${BucketName}"
    parts = [re.sub(r"\$\{[^}]*\}", "*", part) for part in right]
    if bucket_only and "/" in left[-1]:  # a bucket's name has no slash, its objects' ARNs have one
        return False
    return all(
        globs_meet(segment, other_segment)
        for segment, other_segment in zip(left, parts, strict=True)
    )


@cache
def globs_meet(pattern: str, other: str) -> bool:
    """Whether some text fits both patterns."""
    if not pattern and not other:
        return True
    if pattern.startswith("*"):
        return globs_meet(pattern[1:], other) or bool(other and globs_meet(pattern, other[1:]))
    # Only the first pattern's star is handled above, so the two change places.
    if other.startswith("*"):
        return globs_meet(other, pattern)
    if not pattern or not other:
        return False
    heads_meet = pattern[0] == other[0] or "?" in (pattern[0], other[0])
    return heads_meet and globs_meet(pattern[1:], other[1:])
