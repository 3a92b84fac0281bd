"""Which cases fail on plain moto, and which of its own with each mend left out.

A mend is for ever in its process, so each try with mends runs in a child of this one. Prints a JSON
object: `plain` or the name of a mend, to the names of the cases that failed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable

import pytest


def in_a_child(work: Callable[[], list[str]]) -> list[str]:
    """What `work` gives in a copy of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            json.dump(work(), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        failed: list[str] = json.load(pipe)
    os.waitpid(child, 0)
    return failed


def failures(names: Iterable[str], *, first: bool = False) -> list[str]:
    """The cases that fail in this process; with `first`, no further than the first of them."""
    from lab.inprocess import reset
    from tests.lab.mend_cases import CASES, Account

    failed = []
    for name in names:
        reset()
        try:
            CASES[name](Account())
        except (Exception, pytest.fail.Exception):
            failed.append(name)
            if first:
                break
    return failed


def without(mend: str, names: list[str]) -> list[str]:
    """The first of these cases that fails with all mends but one."""
    from lab import mended, mends

    del mends.MENDS[mend]
    mended.mend()
    return failures(names, first=True)


def main() -> None:
    """Tries plain moto, then each mend's absence."""
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "example"
    from moto.core.models import botocore_stubber

    from lab.mends import MENDS
    from tests.lab.mend_cases import CASES, cases_of

    botocore_stubber.enabled = True
    # In this process, so that the children start with its clients and their service models.
    failed = {"plain": failures(CASES)}
    for name in MENDS:
        failed[name] = in_a_child(lambda name=name: without(name, cases_of(name)))
    json.dump(failed, sys.stdout)


if __name__ == "__main__":
    main()
