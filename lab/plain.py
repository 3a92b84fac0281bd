"""Answers a Pulumi program from plain data: no account, no network, nothing created.

Outputs are the inputs plus the attributes that the AWS provider computes, because mocks that only
echo inputs leave an `arn` empty and whatever is fed from it vanishes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from lab.computed import Place, computed, stable_hex
from lab.policy import like

REGIONS = ("us-east-1", "eu-west-1")


class UnknownInvoke(NotImplementedError):
    """The program called a provider function that the mocks have no answer for."""


@dataclass
class PlainMocks(pulumi.runtime.Mocks):
    """An imagined account. `vpcs` and `zones` map a region to ids; absent regions get a default.

    `vpc_tags` maps a VPC's id to its tags, so that a lookup by tag or `tag-key` finds it.

    `role_tags` maps the name of each role under the kit's path to its tags.

    `offers` maps the name of an endpoint service to the zones that offer it; every zone if absent.

    `answers` maps further invoke tokens to an answer, or to a function of the arguments; it wins
    over what is built in. `parameters` maps SSM parameter names to values. `invokes` lists what
    was asked, in order.
    """

    regions: Sequence[str] = REGIONS
    vpcs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    vpc_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    zones: Mapping[str, Sequence[str]] = field(default_factory=dict)
    role_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    offers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    partition: str = "aws"
    account: str = "111122223333"
    home: str = "us-east-1"
    parameters: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    invokes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def call(self, args: MockCallArgs) -> Any:
        """The answer to one invoke; UnknownInvoke for a token that nothing answers."""
        self.invokes.append((args.token, dict(args.args)))
        if args.token in self.answers:
            answer = self.answers[args.token]
            return answer(args.args) if callable(answer) else answer
        if args.token not in _INVOKES:
            raise UnknownInvoke(f"no answer for {args.token}: add it to PlainMocks(answers=…)")
        return _INVOKES[args.token](self, args.args)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """A plausible id and the inputs with computed attributes added."""
        if not args.custom:
            return "", dict(args.inputs)
        return computed(Place(self.partition, self.account, self.home), args)


# --- invokes ------------------------------------------------------------------------------------

_Answer = Callable[[PlainMocks, Mapping[str, Any]], dict[str, Any]]


def _regions(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": mocks.partition, "names": list(mocks.regions)}


def _vpcs(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    region = _region(mocks, args)
    ids = mocks.vpcs.get(region, (f"vpc-{stable_hex(region, 17)}",))
    matching = [vpc for vpc in ids if _has_tags(mocks.vpc_tags.get(vpc, {}), args)]
    return {"id": region, "region": region, "ids": matching}


def _has_tags(tags: Mapping[str, str], args: Mapping[str, Any]) -> bool:
    """Whether tags fit all of `tags` and `filters`, as DescribeVpcs judges them."""
    filters = [(f["name"], f["values"]) for f in args.get("filters") or ()]
    filters += [(f"tag:{key}", [value]) for key, value in (args.get("tags") or {}).items()]
    return all(_fits(tags, name, values) for name, values in filters)


def _fits(tags: Mapping[str, str], name: str, values: Sequence[str]) -> bool:
    """One filter: `tag-key`, or `tag:<key>`; its values may hold `*` and `?`."""
    key = name.removeprefix("tag:")
    texts = list(tags) if name == "tag-key" else [tags[key]] if key in tags else []
    return any(like(value, text) for value in values for text in texts)


def _zones(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    region = _region(mocks, args)
    names = list(mocks.zones.get(region, (f"{region}a", f"{region}b", f"{region}c")))
    ids = [f"{stable_hex(region, 4)}-az{n}" for n in range(1, len(names) + 1)]
    return {"id": region, "region": region, "names": names, "zoneIds": ids, "groupNames": [region]}


def _endpoint_service(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    name = args["serviceName"]
    offering = mocks.offers.get(name, _zones(mocks, args)["names"])
    return {"id": name, "serviceName": name, "availabilityZones": list(offering)}


def _identity(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    arn = f"arn:{mocks.partition}:iam::{mocks.account}:user/provisioner"
    return {"id": mocks.account, "accountId": mocks.account, "arn": arn, "userId": "AIDAEXAMPLE"}


def _roles(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "roles", "names": list(mocks.role_tags), "arns": []}


def _role(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": args["name"], "name": args["name"], "tags": dict(mocks.role_tags[args["name"]])}


def _partition(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    suffix = "amazonaws.com.cn" if mocks.partition == "aws-cn" else "amazonaws.com"
    return {
        "id": mocks.partition,
        "partition": mocks.partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


def _this_region(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    name = _region(mocks, args)
    return {"id": name, "name": name, "region": name, "endpoint": f"ec2.{name}.amazonaws.com"}


def _organization(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    root = {"id": "r-exam", "name": "Root", "arn": _arn(mocks, "organizations", "", "root/r-exam")}
    return {
        "id": "o-exampleorg",
        "arn": _arn(mocks, "organizations", "", "organization/o-exampleorg"),
        "masterAccountId": mocks.account,
        "featureSet": "ALL",
        "roots": [root],
        "awsServiceAccessPrincipals": ["cloudtrail.amazonaws.com"],
        "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY", "TAG_POLICY"],
        "accounts": [],
        "nonMasterAccounts": [],
    }


def _parameter(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    region, name = _region(mocks, args), args["name"]
    if name not in mocks.parameters:
        raise UnknownInvoke(f"no SSM parameter {name}: add it to PlainMocks(parameters=…)")
    return {
        "id": name,
        "name": name,
        "region": region,
        "arn": _arn(mocks, "ssm", region, f"parameter{name}"),
        "type": "String",
        "value": mocks.parameters[name],
        "insecureValue": mocks.parameters[name],
        "version": 1,
    }


def _policy_document(mocks: PlainMocks, args: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(args, sort_keys=True)
    return {"id": stable_hex(text, 10), "json": text, "minifiedJson": text}


_INVOKES: dict[str, _Answer] = {
    "aws:index/getRegions:getRegions": _regions,
    "aws:index/getRegion:getRegion": _this_region,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _identity,
    "aws:index/getPartition:getPartition": _partition,
    "aws:ec2/getVpcs:getVpcs": _vpcs,
    "aws:iam/getRoles:getRoles": _roles,
    "aws:iam/getRole:getRole": _role,
    "aws:ec2/getVpcEndpointService:getVpcEndpointService": _endpoint_service,
    "aws:organizations/getOrganization:getOrganization": _organization,
    "aws:ssm/getParameter:getParameter": _parameter,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
}


def _region(mocks: PlainMocks, args: Mapping[str, Any]) -> str:
    return str(args.get("region") or args.get("name") or mocks.home)


def _arn(mocks: PlainMocks, service: str, region: str, resource: str) -> str:
    return f"arn:{mocks.partition}:{service}:{region}:{mocks.account}:{resource}"
