"""Tags that AWS may refuse: one refused tag must cost neither the others nor the call they are in.

A tag policy refuses a value (`TagPolicyViolation`), a resource has 50 tags at most
(`TagLimitExceeded`), and keys that begin with `aws:` are reserved (EC2 user guide, "Tag your
resources"; Organizations user guide, "Tag policies"). A tag that is copied from a volume and also
given in the call is a duplicate key (`InvalidParameterValue`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from contract import TAG_PREFIX
from responders.aws import code_of, explain, is_denied

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import TagTypeDef

T = TypeVar("T")

RESERVED = "aws:"
"""Begins the keys that only AWS sets."""
LIMIT = 50
"""Tags on one resource, those of AWS not counted."""
REFUSALS = {
    "TagPolicyViolation",
    "TagPolicyViolationException",
    "TagPolicyException",
    "TagLimitExceeded",
    "TagLimitExceededException",
    "TooManyTags",
    "TooManyTagsException",
    "InvalidTagKey.Malformed",
}
INVALID = {
    "InvalidParameterValue",
    "InvalidInput",
    "ValidationError",
    "InvalidParameterCombination",
}
"""Codes of many errors: of tags only if the message says so."""


def are_refused(error: BaseException) -> bool:
    """Whether AWS refused a call for its tags, so that fewer tags may pass."""
    code = code_of(error)
    return code in REFUSALS or (code in INVALID and "tag" in explain(error).lower())


def may_pass_with_fewer(error: BaseException) -> bool:
    """The same, and where permission is lacking: policies may forbid a call for its tags."""
    return are_refused(error) or is_denied(error)


def writable(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags without those that only AWS sets."""
    return {key: value for key, value in tags.items() if not key.startswith(RESERVED)}


def only_kit_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The kit's own tags among these."""
    return {key: value for key, value in tags.items() if key.startswith(TAG_PREFIX)}


def with_fewer(
    tags: Mapping[str, str],
    least: Mapping[str, str],
    write: Callable[[dict[str, str]], T],
    tell: Callable[[str], None],
) -> T:
    """What `write` gives with all writable tags, or else with `least` alone.

    Gives `tell` the tags that were not written, with the reason. A second refusal goes up.
    """
    try:
        return write(writable(tags))
    except Exception as error:
        omitted = sorted(set(writable(tags)) - set(least))
        if not omitted or not may_pass_with_fewer(error):
            raise
        answer = write(dict(least))
        tell(f"without the tags {', '.join(omitted)}, which were refused: {explain(error)}")
        return answer


def listed(tags: Mapping[str, str]) -> list[TagTypeDef]:
    """The tags in the shape of EC2 and IAM."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
