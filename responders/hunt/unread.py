"""What could not be read of a trail, in words: which hours are missing, why, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from responders.hunt.inventory import command

RESTORE = "aws s3api restore-object --bucket {bucket} --key {key} --restore-request Days=7"
_HOUR = re.compile(r"_([a-z0-9-]+)_(\d{4})(\d\d)(\d\d)T(\d\d)\d{2,4}Z[_.]")
"""Region and hour of delivery, in the name of a log or digest file (CloudTrail user guide, "Log
file name format", "CloudTrail digest file structure")."""
_DAY = re.compile(r"/([a-z0-9-]+)/(\d{4})/(\d\d)/(\d\d)/")
_ARCHIVED = re.compile(r"archived|InvalidObjectState")


def gaps(place: str, trouble: Iterable[str], failure: str = "not read") -> list[str]:
    """One line for each cause. `trouble` has lines of a key and why it was not read.

    `place` is the trail as reports call it, `trail s3://bucket/prefix`; `failure` says what became
    of the objects, such as `not proven`.
    """
    pairs = sorted((_why(why), key) for key, _, why in (line.partition(": ") for line in trouble))
    return [
        _line(place, why, [key for _, key in group], failure)
        for why, group in groupby(pairs, key=lambda pair: pair[0])
    ]


def _why(text: str) -> str:
    """The cause without what differs from object to object."""
    return "archived" if _ARCHIVED.search(text) else text


def _line(place: str, why: str, keys: Sequence[str], failure: str) -> str:
    hours = sorted({_hour(key) for key in keys})
    shown = hours[0] if len(hours) == 1 else f"{hours[0]} to {hours[-1]} ({len(hours)} hours)"
    count = f"{len(keys)} object{'' if len(keys) == 1 else 's'}"
    sentence = f"{place}: {count} of {shown} {failure}, such as {keys[0]}: {why}"
    if why != "archived":
        return sentence
    bucket = place.partition("s3://")[2].partition("/")[0]
    line = command(RESTORE, {"bucket": bucket, "key": keys[0]})
    return f"{sentence}. Restore each, wait for it, and hunt again: {line}" if line else sentence


def _hour(key: str) -> str:
    """The hour of delivery (UTC) and the region; the day, where the name has no hour."""
    if match := _HOUR.search(key):
        return "{1}-{2}-{3} {4} h UTC {0}".format(*match.groups())
    if match := _DAY.search(key):
        return "{1}-{2}-{3} {0}".format(*match.groups())
    return "an unknown time"
