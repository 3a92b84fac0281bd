"""The attributes that the AWS provider computes, imagined: ids, ARNs, hashes, per resource type.

Stable: the same resource gets the same attributes in every run. A type without an entry gets a
generic id and ARN.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pulumi.runtime.mocks import MockResourceArgs


@dataclass(frozen=True)
class Place:
    """Where imagined resources live: partition, account, and the provider's own region."""

    partition: str
    account: str
    home: str

    def arn(self, service: str, region: str, resource: str) -> str:
        """An ARN in this partition and account; `region` is empty for global services."""
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"


@dataclass(frozen=True)
class _New:
    """A resource being imagined: `name` is its name in AWS, autonamed when none was given."""

    registration: Place
    args: MockResourceArgs
    region: str
    unique: str
    name: str

    def arn(self, service: str, resource: str) -> str:
        return self.registration.arn(service, self.region, resource)


_Attributes = tuple[str, dict[str, Any]]
_Imagine = Callable[[_New], _Attributes]


def computed(registration: Place, args: MockResourceArgs) -> _Attributes:
    """Id and outputs of one resource: its inputs, over what the provider would compute."""
    region = args.inputs.get("region") or registration.home
    unique = stable_hex(f"{region}/{args.typ}/{args.name}", 32)
    name = args.inputs.get("name") or f"{args.name}-{unique[:7]}"
    imagine = _bucket if args.typ.startswith("aws:s3/bucket") else _TYPES.get(args.typ, _any)
    id_, attributes = imagine(_New(registration, args, region, unique, name))
    common = {"region": region, "name": name, "tagsAll": args.inputs.get("tags") or {}}
    return args.resource_id or id_, {**common, **attributes, **args.inputs}


def stable_hex(text: str, length: int) -> str:
    """Hex digits that depend on `text` alone."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _ec2(prefix: str, kind: str) -> _Imagine:
    def imagine(new: _New) -> _Attributes:
        # EC2's ids have 17 hex digits, but prefix lists still have 8.
        id_ = f"{prefix}-{new.unique[:17]}"
        attributes = {
            "arn": new.arn("ec2", f"{kind}/{id_}"),
            "ownerId": new.registration.account,
            "mainRouteTableId": f"rtb-{new.unique[:17]}",
            "defaultSecurityGroupId": f"sg-{new.unique[:17]}",
            "defaultNetworkAclId": f"acl-{new.unique[:17]}",
            "prefixListId": f"pl-{new.unique[:8]}",
        }
        return id_, attributes

    return imagine


def _iam(kind: str, *, id_is_arn: bool = False) -> _Imagine:
    def imagine(new: _New) -> _Attributes:
        path = new.args.inputs.get("path", "/")
        arn = new.registration.arn("iam", "", f"{kind}{path}{new.name}")
        attributes = {"arn": arn, "uniqueId": f"AROA{new.unique[:17].upper()}", "path": path}
        return arn if id_is_arn else new.name, attributes

    return imagine


def _named(service: str, prefix: str = "", *, id_is_arn: bool = False) -> _Imagine:
    def imagine(new: _New) -> _Attributes:
        arn = new.arn(service, f"{prefix}{new.name}")
        return arn if id_is_arn else new.name, {"arn": arn, "version": 1}

    return imagine


def _key(new: _New) -> _Attributes:
    u = new.unique
    id_ = f"{u[:8]}-{u[8:12]}-{u[12:16]}-{u[16:20]}-{u[20:]}"
    return id_, {"arn": new.arn("kms", f"key/{id_}"), "keyId": id_}


def _bucket(new: _New) -> _Attributes:
    bucket = new.args.inputs.get("bucket") or new.name
    attributes = {
        "bucket": bucket,
        "arn": f"arn:{new.registration.partition}:s3:::{bucket}",
        "bucketDomainName": f"{bucket}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{bucket}.s3.{new.region}.amazonaws.com",
    }
    return bucket, attributes


def _document(new: _New) -> _Attributes:
    content = str(new.args.inputs.get("content", ""))
    attributes = {
        "arn": new.arn("ssm", f"document/{new.name}"),
        "hash": hashlib.sha256(content.encode()).hexdigest(),
        "hashType": "Sha256",
        "documentVersion": "1",
        "latestVersion": "1",
        "defaultVersion": "1",
    }
    return new.name, attributes


def _queue(new: _New) -> _Attributes:
    url = f"https://sqs.{new.region}.amazonaws.com/{new.registration.account}/{new.name}"
    return url, {"arn": new.arn("sqs", new.name), "url": url}


def _any(new: _New) -> _Attributes:
    id_ = f"{new.args.name}-{new.unique[:8]}"
    service = new.args.typ.split(":")[1].split("/")[0]
    return id_, {"arn": new.arn(service, id_)}


_TYPES: dict[str, _Imagine] = {
    "aws:ec2/vpc:Vpc": _ec2("vpc", "vpc"),
    "aws:ec2/subnet:Subnet": _ec2("subnet", "subnet"),
    "aws:ec2/securityGroup:SecurityGroup": _ec2("sg", "security-group"),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _ec2("sg", "security-group"),
    "aws:ec2/routeTable:RouteTable": _ec2("rtb", "route-table"),
    "aws:ec2/defaultRouteTable:DefaultRouteTable": _ec2("rtb", "route-table"),
    "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl": _ec2("acl", "network-acl"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _ec2("vpce", "vpc-endpoint"),
    "aws:ec2/flowLog:FlowLog": _ec2("fl", "vpc-flow-log"),
    "aws:ec2/launchTemplate:LaunchTemplate": _ec2("lt", "launch-template"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _ec2("sgr", "security-group-rule"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _ec2("sgr", "security-group-rule"),
    "aws:iam/role:Role": _iam("role"),
    "aws:iam/user:User": _iam("user"),
    "aws:iam/instanceProfile:InstanceProfile": _iam("instance-profile"),
    "aws:iam/policy:Policy": _iam("policy", id_is_arn=True),
    "aws:kms/key:Key": _key,
    "aws:ssm/document:Document": _document,
    "aws:ssm/parameter:Parameter": _named("ssm", "parameter"),
    "aws:sqs/queue:Queue": _queue,
    "aws:sns/topic:Topic": _named("sns", id_is_arn=True),
    "aws:cloudwatch/logGroup:LogGroup": _named("logs", "log-group:"),
    "aws:cloudwatch/eventRule:EventRule": _named("events", "rule/"),
}
