"""Authorization as IAM does it, for role sessions: off until switched on.

Moto's own ignores conditions. This layer judges each call of a role session by the role's inline
and attached policies, with what it knows of the request: the resources named in it, their tags,
and the tags that it sets. A call is allowed if, for each resource, a statement allows it and none
denies it (EC2 user guide, "Resource-level permissions"; IAM user guide, "Policy evaluation logic").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from lab.gate.call import Call
from lab.gate.door import Proceed
from lab.gate.wire import AwsError, Response
from lab.iam_actions import FREE, action_of
from lab.identity import identity_of, principal_arn
from lab.policy import Asked, allowed_by, denied_by, statements

KINDS = {
    "i": "instance",
    "eni": "network-interface",
    "sg": "security-group",
    "vol": "volume",
    "vpc": "vpc",
    "subnet": "subnet",
    "acl": "network-acl",
    "eipalloc": "elastic-ip",
    "vpce": "vpc-endpoint",
    "rtb": "route-table",
}
"""Prefix of an EC2 id to the kind in its ARN, of what belongs to an account."""
PUBLIC_KINDS = {"snap": "snapshot", "ami": "image"}
"""Those whose ARN names no account."""
NAMED = {
    "UserName": "user",
    "RoleName": "role",
    "InstanceProfileName": "instance-profile",
}
ID = re.compile(r"(i|eni|sg|vol|vpc|subnet|acl|eipalloc|vpce|rtb|snap|ami)-[0-9a-f]{8,17}")


class Authorization:
    """The layer for the door, and its switch."""

    def __init__(self) -> None:
        self._on = False
        self.refused: list[str] = []

    @contextmanager
    def enforced(self) -> Iterator[Authorization]:
        """Judges role sessions inside the block; `refused` then lists what was not allowed."""
        self._on = True
        self.refused = []
        try:
            yield self
        finally:
            self._on = False

    def layer(self, call: Call, proceed: Proceed) -> Response:
        """Refuses what the caller's role does not allow."""
        if self._on and call.model is not None:
            self._judge(call)
        return proceed()

    def _judge(self, call: Call) -> None:
        identity = identity_of(call)
        action = action_of(call.service, call.operation)
        if identity.kind != "AssumedRole" or action in FREE:
            return
        role = principal_arn(identity)
        found = _role_statements(call, role)
        for one, resource, context in _questions(call, action):
            asked = Asked(one, (resource,), context={"aws:PrincipalArn": role, **context})
            if denied_by(found, asked) or not allowed_by(found, asked):
                told = f"{one} on {resource}"
                self.refused.append(told)
                code = "UnauthorizedOperation" if call.service == "ec2" else "AccessDenied"
                raise AwsError(code, f"{role} is not authorized to perform: {told}", 403)


def _role_statements(call: Call, arn: str) -> list[Mapping[str, Any]]:
    backend = iam_backends[call.account][get_partition(call.region)]
    role = next(r for r in backend.get_roles() if r.arn == arn)
    versions = [v for p in role.managed_policies.values() for v in p.versions if v.is_default]
    documents = [*role.policies.values(), *(version.document for version in versions)]
    return [statement for document in documents for statement in statements(document)]


def _questions(call: Call, action: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each action, resource and context that a call must be allowed."""
    context = _request_context(call)
    own = action.split(":")[0]  # a key or a role that is only named is another service's matter
    resources = sorted({r for r in _resources(call) if r.split(":")[2] == own})
    for resource in resources or ["*"]:
        yield action, resource, {**context, **_tag_context(call, resource)}
    for name in _passed_roles(call):
        yield (
            "iam:PassRole",
            _iam_arn(call, "role", name),
            {"iam:PassedToService": "ec2.amazonaws.com"},
        )


def _request_context(call: Call) -> dict[str, Any]:
    tags: dict[str, str] = {}
    for block in [call.params, *call.params.get("TagSpecifications", ())]:
        listed = block.get("Tags") or ()
        tags |= {t["Key"]: t.get("Value", "") for t in listed if isinstance(t, Mapping)}
    context: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        context["aws:TagKeys"] = tuple(tags)
    if "PolicyArn" in call.params:
        context["iam:PolicyARN"] = str(call.params["PolicyArn"])
    return {**context, "aws:RequestedRegion": call.region, "aws:SecureTransport": "true"}


def _resources(call: Call) -> Iterator[str]:
    if call.service == "s3" and "Bucket" in call.params:
        bucket = f"arn:{get_partition(call.region)}:s3:::{call.params['Bucket']}"
        yield f"{bucket}/{call.params['Key']}" if "Key" in call.params else bucket
    elif call.service == "iam":
        named = {kind: call.params[f] for f, kind in NAMED.items() if call.params.get(f)}
        for kind, name in named.items():
            yield _iam_arn(call, kind, str(name))
        if not named and "PolicyArn" in call.params:
            yield str(call.params["PolicyArn"])
        elif call.operation == "CreatePolicy":
            path = call.params.get("Path", "/")
            yield _iam_arn(call, "policy", f"{path}{call.params['PolicyName']}".removeprefix("/"))
    elif call.service == "ssm" and call.operation == "GetParameter":
        yield _arn(call, "ssm", f"parameter{call.params['Name']}")
    elif call.service == "ssm" and call.operation == "SendCommand":
        yield _arn(call, "ssm", f"document/{call.params['DocumentName']}")
    elif call.service == "autoscaling" and "AutoScalingGroupName" in call.params:
        name = call.params["AutoScalingGroupName"]
        yield _arn(call, "autoscaling", f"autoScalingGroup:1:autoScalingGroupName/{name}")
    elif not call.operation.startswith("Describe"):
        yield from _named_in(call, call.params)


def _named_in(call: Call, value: Any) -> Iterator[str]:
    """ARNs of all EC2 ids, and all ARNs, in the parameters."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _named_in(call, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named_in(call, inner)
    elif isinstance(value, str) and value.startswith("arn:"):
        yield value
    elif isinstance(value, str) and (match := ID.fullmatch(value)):
        prefix = match[1]
        if prefix in PUBLIC_KINDS:
            kind = PUBLIC_KINDS[prefix]
            yield f"arn:{get_partition(call.region)}:ec2:{call.region}::{kind}/{value}"
        else:
            yield _arn(call, "ec2", f"{KINDS[prefix]}/{value}")


def _tag_context(call: Call, resource: str) -> dict[str, str]:
    """`aws:ResourceTag/…` of an EC2 resource or an IAM role or user."""
    service, name = resource.split(":")[2] if resource != "*" else "", resource.rsplit("/", 1)[-1]
    if service == "ec2":
        backend = ec2_backends[call.account][call.region]
        tags = {t["key"]: t["value"] for t in backend.describe_tags({"resource-id": [name]})}
    elif service == "iam":
        tags = _iam_tags(call, resource)
    else:
        return {}
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def _iam_tags(call: Call, resource: str) -> dict[str, str]:
    backend = iam_backends[call.account][get_partition(call.region)]
    things: list[Any] = [*backend.get_roles(), *backend.users.values()]
    found = next((t for t in things if t.arn == resource), None)
    listed = getattr(found, "tags", None) or {}
    pairs = listed.values() if isinstance(listed, Mapping) else listed
    return {t["Key"]: t["Value"] for t in pairs}


def _passed_roles(call: Call) -> Iterator[str]:
    """Roles that a call hands to EC2 with an instance profile."""
    given = call.params.get("IamInstanceProfile")
    if call.service != "ec2" or not isinstance(given, Mapping):
        return
    name = given.get("Name") or str(given.get("Arn", "")).rsplit("/", 1)[-1]
    backend = iam_backends[call.account][get_partition(call.region)]
    for profile in backend.instance_profiles.values():
        if profile.name == name:
            yield from (role.name for role in profile.roles)


def _iam_arn(call: Call, kind: str, name: str) -> str:
    backend = iam_backends[call.account][get_partition(call.region)]
    things: dict[str, Any] = {
        "user": backend.users.values(),
        "role": backend.get_roles(),
        "instance-profile": backend.instance_profiles.values(),
    }
    found = next((t.arn for t in things.get(kind, ()) if t.name == name), None)
    return str(found or f"arn:{get_partition(call.region)}:iam::{call.account}:{kind}/{name}")


def _arn(call: Call, service: str, rest: str) -> str:
    return f"arn:{get_partition(call.region)}:{service}:{call.region}:{call.account}:{rest}"
