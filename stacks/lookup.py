"""Provider functions, called at plan time in all regions at once.

Resources must not be created inside `.apply`, so what is prepared has to be known to the program
as plain values before anything is registered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import TypedDict, TypeVar, cast

import pulumi
from pulumi.runtime import invoke_async

from stacks.reading import BadConfig

T = TypeVar("T")


class Answer(TypedDict, total=False):
    """The attributes, in wire form, that the functions called here return."""

    ids: Sequence[str]
    names: Sequence[str]
    availabilityZones: Sequence[str]
    tags: Mapping[str, str]


Argument = str | Sequence[Mapping[str, object]]


async def call(token: str, arguments: Mapping[str, Argument]) -> Answer:
    """The answer of one provider function; `arguments` in wire form.

    `pulumi_aws` has only forms that block, or that can't be awaited. The version makes the engine
    call the provider process that the resources use as well.
    """
    options = pulumi.InvokeOptions(version=version("pulumi-aws"))
    return cast(Answer, await invoke_async(token, dict(arguments), options))


async def in_each(regions: Iterable[str], look: Callable[[str], Awaitable[T]]) -> dict[str, T]:
    """What `look` answers for each region, all regions at once.

    BadConfig names all regions that can't be read; one that says itself what is wrong is raised
    as it is.
    """
    names = list(regions)
    answers = await asyncio.gather(*(look(name) for name in names), return_exceptions=True)
    results: dict[str, T] = {}
    failures: dict[str, BaseException] = {}
    for region, answer in zip(names, answers, strict=True):
        if isinstance(answer, BadConfig):
            raise answer
        if isinstance(answer, BaseException):
            failures[region] = answer
        else:
            results[region] = answer
    if failures:
        first, error = next(iter(failures.items()))
        raise BadConfig(
            "cordon:exclude",
            f"{', '.join(failures)} can't be read; leave out what your organization denies, "
            f"or mend the access ({first}: {error})",
        ) from error
    return results
