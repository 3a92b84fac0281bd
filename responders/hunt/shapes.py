"""Which member of an event names its thing, by the shapes of the service's own model.

A record's answer also has members that no model knows, such as EC2's `requestId`; only what the
model says is an answer's member counts. Names in records are the model's or the wire's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from responders.json_values import Json

MODELS: Mapping[str, tuple[str, ...]] = {
    "access-analyzer": ("accessanalyzer",),
    "airflow": ("mwaa",),
    "aoss": ("opensearchserverless",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "aps": ("amp",),
    "bedrock": ("bedrock", "bedrock-agent", "bedrock-runtime"),
    "cassandra": ("keyspaces",),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "elasticmapreduce": ("emr",),
    "es": ("opensearch", "es"),
    "kinesisanalytics": ("kinesisanalyticsv2", "kinesisanalytics"),
    "mobiletargeting": ("pinpoint",),
    "monitoring": ("cloudwatch",),
    "profile": ("customer-profiles",),
    "s3": ("s3", "s3control"),
    "servicequotas": ("service-quotas",),
    "ses": ("sesv2", "ses"),
    "sso": ("sso-admin",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
    "wisdom": ("qconnect",),
}
"""botocore's names of the services whose events bear another. A test holds them to the models."""
DEPTH = 4
"""How deep in an answer its thing is looked for; deeper members describe parts of it."""
_SUFFIX = re.compile(r"(.*?)(ids?|arns?|identifiers?|names?|url|number)$", re.IGNORECASE)
_NEVER = {"requestid", "clienttoken", "clientrequesttoken", "creatorrequestid", "nexttoken"}
_SUFFIXES = ("id", "identifier", "arn", "name", "url", "number")


@dataclass(frozen=True)
class Member:
    """A way to a member: the names that each step may have, lower case."""

    steps: tuple[frozenset[str], ...]
    rank: tuple[int, int, int]


def names_in(value: Json, service: str, event: str, noun: str, *, answer: bool) -> list[str]:
    """The names or ids of an event's thing in its answer, or in its request; none is an answer too.

    `noun` is what the event's name is about, such as `FlowLogs`.
    """
    for member in _members(service, event, noun, answer):
        if names := list(dict.fromkeys(_texts(value, member.steps))):
            return names
    return []


def guessed(value: Json, noun: str) -> list[str]:
    """The same without a model: a member at most two levels deep that is called as the noun is."""
    ranked = []
    for path, text in _leaves(value, ()):
        rank = _rank(path, _stem(noun))
        if rank is not None:
            ranked.append((rank, text))
    best = min((rank for rank, _ in ranked), default=None)
    return list(dict.fromkeys(text for rank, text in ranked if rank == best))


@lru_cache(maxsize=1024)
def _members(service: str, event: str, noun: str, answer: bool) -> tuple[Member, ...]:
    """Members that may name the thing, the likeliest first; reads the model and lets it go."""
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader

    for model_name in MODELS.get(service, (service,)):
        try:
            model = Loader().load_service_model(model_name, "service-2")
        except UnknownServiceError:
            continue
        operation = model["operations"].get(event)
        shape = (operation or {}).get("output" if answer else "input", {}).get("shape")
        if shape:
            members = _walk(model["shapes"], shape, (), (), _stem(noun))
            return tuple(sorted(members, key=lambda member: member.rank))
    return ()


def _walk(
    shapes: Mapping[str, Json],
    name: str,
    steps: tuple[frozenset[str], ...],
    path: tuple[str, ...],
    stem: str,
) -> Iterator[Member]:
    shape = shapes[name]
    if shape["type"] == "list":
        yield from _walk(shapes, shape["member"]["shape"], steps, path, stem)
    elif shape["type"] == "string":
        rank = _rank(path, stem)
        if rank is not None:
            yield Member(steps, rank)
    elif shape["type"] == "structure" and len(path) < DEPTH:
        for member, reference in shape["members"].items():
            wire = str(reference.get("locationName", member))
            step = frozenset({member.lower(), wire.lower()})
            yield from _walk(shapes, reference["shape"], (*steps, step), (*path, member), stem)


def _rank(path: tuple[str, ...], stem: str) -> tuple[int, int, int] | None:
    """How likely the last member of a path names the thing; None: not at all. Lower is likelier."""
    if not path or path[-1].lower() in _NEVER:
        return None
    split = _SUFFIX.fullmatch(path[-1])
    if split is None:
        return None
    head, suffix = _stem(split[1]), _SUFFIXES.index(split[2].lower().rstrip("s"))
    inside = _stem(path[-2]) if len(path) > 1 else ""
    if head == stem or (not head and inside == stem):
        kind = 0
    elif not head and len(path) == 1:
        kind = 1
    elif head and (stem.endswith(head) or stem.startswith(head) or head.endswith(stem)):
        kind = 2
    elif inside == stem:
        kind = 3
    else:
        return None
    return kind, len(path), suffix


def _stem(word: str) -> str:
    """A word in the singular, lower case, without what separates its parts."""
    plain = re.sub(r"[^a-z0-9]", "", word.lower())
    return plain[:-3] + "y" if plain.endswith("ies") else plain.removesuffix("s")


def _texts(value: Json, steps: tuple[frozenset[str], ...]) -> Iterator[str]:
    """Texts at the end of the steps; lists and the wrapping of EC2's answers are walked through."""
    if isinstance(value, list):
        for inner in value:
            yield from _texts(inner, steps)
    elif not steps:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from (text for inner in value.values() for text in _texts(inner, ()))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key.lower() in steps[0]:
                yield from _texts(inner, steps[1:])
            elif key in ("items", "item", "member") or key.endswith(("Response", "Result")):
                yield from _texts(inner, steps)


def _leaves(value: Json, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping) and len(path) < 2:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, str) and value and path:
        yield path, value
