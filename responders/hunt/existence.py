"""Whether what was created is still there, asked of AWS now and not of the events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from responders.aws import Aws, code_of, explain
from responders.hunt.inventory import Look, Shares, filled, known
from responders.hunt.outside import Home
from responders.hunt.paths import pick, text, texts
from responders.json_values import Json

BATCH = 200
"""Values of one EC2 filter (EC2 API reference, "Filter")."""
_MISSING = re.compile(r"NotFound|NoSuch|NotExist|NonExist|Malformed|^404$")
"""Error codes that say that there is no such thing."""


@dataclass(frozen=True, order=True)
class Ref:
    """One thing to look at. `region` is where its event was recorded."""

    type: str
    id: str
    owner: str
    region: str


@dataclass(frozen=True)
class State:
    """`exists` is None when it could not be told, with an `error` if it was asked.

    `state` is AWS's word for the thing's state, or its name. `name`, `address` and `tags` are for
    people who must recognise it; whoever made the thing chose them. `groups` are the security
    groups of a machine's interfaces.
    """

    exists: bool | None = None
    state: str = ""
    error: str = ""
    name: str = field(default="", compare=False)
    address: str = field(default="", compare=False)
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)
    groups: tuple[str, ...] = field(default=(), compare=False)


GONE = State(exists=False)
_ADDRESSES = (
    "PublicIpAddress",
    "PublicIp",
    "PrivateIpAddress",
    "Endpoint.Address",
    "publicIpAddress",
)
"""Members that hold a thing's address, the one seen from the internet first."""


def look(aws: Aws, refs: Iterable[Ref]) -> dict[Ref, State]:
    """The state of each thing; all types and regions at once. Nothing raises."""
    groups: dict[tuple[str, str], list[Ref]] = {}
    for ref in dict.fromkeys(refs):
        groups.setdefault((ref.type, ref.region), []).append(ref)
    work = [(part, aws.spawn(_look_at, aws, part)) for part in _parts(groups)]
    states: dict[Ref, State] = {}
    for part, answer in work:
        try:
            states |= answer.result()
        except Exception as error:
            states |= dict.fromkeys(part, State(error=explain(error)))
    return states


def shared_with(aws: Aws, ref: Ref, home: Home) -> list[str] | None:
    """With whom outside a thing is shared now; None for a type of which that can't be asked."""
    shares = known(ref.type).shares
    if shares is None:
        return None
    try:
        answer = _ask(aws, shares, ref)
    except Exception as error:
        if code_of(error) in shares.none or _is_missing(error, ()):
            return []
        raise
    named = [o for path in shares.to for o in texts(answer, path) if home.is_outside(o)]
    for policy in pick(answer, shares.policy) if shares.policy else ():
        named += home.outsiders(policy)
    return list(dict.fromkeys(named))


def _parts(groups: Mapping[tuple[str, str], list[Ref]]) -> Iterator[list[Ref]]:
    for (kind, _), refs in groups.items():
        ask = known(kind).look
        size = BATCH if ask and ask.filter else 1
        yield from (refs[at : at + size] for at in range(0, len(refs), size))


def _look_at(aws: Aws, refs: Sequence[Ref]) -> dict[Ref, State]:
    ask = known(refs[0].type).look
    if ask is None:
        return dict.fromkeys(refs, State())
    named = [ref for ref in refs if ref.id]
    unnamed = dict.fromkeys((ref for ref in refs if not ref.id), State())
    if not named:
        return unnamed
    try:
        answer = _ask(aws, ask, named[0], [ref.id for ref in named])
    except Exception as error:
        if _is_missing(error, ask.missing):
            return unnamed | dict.fromkeys(named, GONE)
        raise
    return unnamed | {ref: _state(ask, answer, ref) for ref in named}


def _ask(aws: Aws, ask: Look | Shares, ref: Ref, ids: Sequence[str] = ()) -> Mapping[str, Json]:
    from botocore import xform_name

    request = filled(dict(ask.request), {"id": ref.id, "owner": ref.owner})
    if isinstance(ask, Look) and ask.filter:
        request["Filters"] = [{"Name": ask.filter, "Values": list(ids)}]
    client = aws.client(ask.service, ref.region)
    answer: Mapping[str, Json] = getattr(client, xform_name(ask.operation))(**request)
    return answer


def _state(ask: Look, answer: Mapping[str, Json], ref: Ref) -> State:
    items = pick(answer, ask.at) if ask.at else [answer]
    if ask.id:
        items = [item for item in items if text(item, ask.id) == ref.id]
    if not items:
        return GONE
    item = items[0]
    state = text(item, ask.state) if ask.state else ""
    tags = _tags(item)
    return State(
        exists=state not in ask.gone,
        state=state,
        name=tags.get("Name", ""),
        address=next(filter(None, (text(item, path) for path in _ADDRESSES)), ""),
        tags=tags,
        groups=tuple(texts(item, "NetworkInterfaces.*.Groups.*.GroupId")),
    )


def _tags(item: Json) -> dict[str, str]:
    """Tags of a described thing: a list of pairs, or a mapping, under one of three names."""
    for member in ("Tags", "TagList", "tags"):
        for value in pick(item, member):
            if isinstance(value, Mapping):
                return {str(key): str(tag) for key, tag in value.items()}
            if isinstance(value, list):
                return {text(pair, "Key"): text(pair, "Value") for pair in value}
    return {}


def _is_missing(error: BaseException, codes: Sequence[str]) -> bool:
    code = code_of(error)
    return bool(code) and (code in codes or _MISSING.search(code) is not None)
