"""What is new in the account by its own dates, for attackers who blinded CloudTrail.

Lists each type that AWS dates. Some it does not date: security groups, addresses, routes. Of the
groups those are told that the new instances are in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from responders.aws import Aws, code_of, explain
from responders.hunt.inventory import Listing, ThingType, inventory
from responders.hunt.paths import pick, text, texts
from responders.hunt.where import has_service
from responders.json_values import Json
from responders.permissions import allow
from responders.record.journal import utc

if TYPE_CHECKING:
    from botocore.client import BaseClient

PERMISSIONS = (
    allow("iam:ListUsers", "iam:ListAccessKeys", because="lists access keys by their dates"),
)
NOT_THERE = {"UnsupportedOperation", "UnknownOperationException", "InvalidAction", "OptInRequired"}
"""Codes of an operation that a region does not have."""


@dataclass(frozen=True, order=True)
class New:
    """Something created (or, of instances, launched) since; `created` is empty if AWS tells not."""

    created: str
    type: str
    id: str
    region: str
    state: str = ""
    owner: str = ""
    note: str = ""


@dataclass
class Inventory:
    """What was found, and what could not be asked, by region."""

    found: list[New] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)


def new_since(
    aws: Aws,
    regions: Sequence[str],
    home: str,
    since: datetime,
    tell: Callable[[str], None] = lambda _region: None,
) -> Inventory:
    """Everything created since, in these regions; of global types, in `home` once.

    `tell` is given each region when it is done. Nothing raises: errors are part of the result.
    """
    work = [
        (where, kind, aws.spawn(_list, aws, kind, where, since))
        for where in regions
        for kind in inventory().values()
        if kind.listing and (where == home or not kind.is_global)
    ]
    done = Inventory()
    left = {region: sum(1 for w, _, _ in work if w == region) for region in regions}
    for where, kind, answer in work:
        try:
            done.found += answer.result()
        except Exception as error:
            if not _is_absent(error, kind, where):
                trouble = f"{kind.name} can't be listed: {explain(error)}"
                done.errors.setdefault(where, []).append(trouble)
        left[where] -= 1
        if not left[where]:
            tell(where)
    done.found.sort()
    return done


def _list(aws: Aws, kind: ThingType, region: str, since: datetime) -> list[New]:
    listing = kind.listing
    if listing is None:
        return []
    items = []
    groups: dict[str, str] = {}
    for item in _items(aws, listing, region):
        if (created := _date(item, listing.date)) is None or created < since:
            continue
        identifier = text(item, listing.id)
        items.append(
            New(
                utc(created),
                kind.name,
                identifier,
                region,
                text(item, listing.state) if listing.state else "",
                text(item, listing.owner) if listing.owner else "",
                _launched_before(item, created) if kind.name == "AWS::EC2::Instance" else "",
            )
        )
        groups |= dict.fromkeys(texts(item, "SecurityGroups.*.GroupId"), identifier)
    used = [
        New("", "AWS::EC2::SecurityGroup", group, region, note=f"not dated by AWS; used by {by}")
        for group, by in groups.items()
    ]
    return items + (used if kind.name == "AWS::EC2::Instance" else [])


def _items(aws: Aws, listing: Listing, region: str) -> Iterator[Json]:
    client = aws.client(listing.service, region)
    if not listing.per_user:
        yield from _pages(client, listing.operation, listing.request, listing.at)
        return
    for user in texts(list(_pages(client, "ListUsers", {}, "Users.*")), "*.UserName"):
        yield from _pages(client, listing.operation, {"UserName": user}, listing.at)


def _pages(
    client: BaseClient, operation: str, request: Mapping[str, Json], at: str
) -> Iterator[Json]:
    from botocore import xform_name

    name = xform_name(operation)
    if client.can_paginate(name):
        for page in client.get_paginator(name).paginate(**request):
            yield from pick(page, at)
    else:
        yield from pick(getattr(client, name)(**request), at)


def _date(item: Json, path: str) -> datetime | None:
    value = next(iter(pick(item, path)), None)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _launched_before(item: Json, launched: datetime) -> str:
    """Starting an instance renews its LaunchTime; its first interface keeps the true one."""
    first = min(
        (d for i in pick(item, "NetworkInterfaces.*") if (d := _date(i, "Attachment.AttachTime"))),
        default=launched,
    )
    seconds = (launched - first).total_seconds()
    return f"started again; first launched {utc(first)}" if seconds > 60 else ""


def _is_absent(error: BaseException, kind: ThingType, region: str) -> bool:
    """Whether the region has no such service; a region that can't be reached is another thing."""
    from botocore.exceptions import EndpointConnectionError

    if isinstance(error, EndpointConnectionError) and kind.listing:
        return has_service("ec2", region) and not has_service(kind.listing.service, region)
    return code_of(error) in NOT_THERE
