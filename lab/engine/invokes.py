"""Answers what a program asks of the account, with boto3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.engine.resource import Clients

Answer = Callable[[Clients, str, Mapping[str, Any]], dict[str, Any]]
"""From clients, region and arguments, in wire form."""


def _regions(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    every = {"AllRegions": True} if args.get("allRegions") else {}
    regions = clients("ec2", region).describe_regions(**every, **_filters(args))["Regions"]
    return {"id": "aws", "names": sorted(r["RegionName"] for r in regions)}


def _region(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _vpcs(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    pages = clients("ec2", region).get_paginator("describe_vpcs").paginate(**_filters(args))
    ids = [vpc["VpcId"] for page in pages for vpc in page["Vpcs"]]
    return {"id": region, "region": region, "ids": ids}


def _zones(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    state = {"state": [args["state"]]} if args.get("state") else {}
    request = _filters(args, state)
    # Moto knows no filter by opt-in status; its zones need no opting in.
    request["Filters"] = [f for f in request["Filters"] if f["Name"] != "opt-in-status"]
    zones = clients("ec2", region).describe_availability_zones(**request)["AvailabilityZones"]
    return {
        "id": region,
        "region": region,
        "names": [z["ZoneName"] for z in zones],
        "zoneIds": [z["ZoneId"] for z in zones],
        "groupNames": [region],
    }


def _endpoint_service(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Every zone offers every service. Moto lists services by loading every backend it has."""
    name = args["serviceName"]
    zones = _zones(clients, region, {})["names"]
    return {"id": name, "region": region, "serviceName": name, "availabilityZones": zones}


def _identity(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    caller = clients("sts", region).get_caller_identity()
    return {
        "id": caller["Account"],
        "accountId": caller["Account"],
        "arn": caller["Arn"],
        "userId": caller["UserId"],
    }


def _roles(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    pages = clients("iam", region).get_paginator("list_roles")
    roles = [r for p in pages.paginate(PathPrefix=args["pathPrefix"]) for r in p["Roles"]]
    return {
        "id": region,
        "names": [r["RoleName"] for r in roles],
        "arns": [r["Arn"] for r in roles],
    }


def _role(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    role = clients("iam", region).get_role(RoleName=args["name"])["Role"]
    return {
        "id": role["RoleName"],
        "name": role["RoleName"],
        "arn": role["Arn"],
        "tags": {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])},
    }


def _partition(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    partition = clients("sts", region).meta.partition
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    reverse = ".".join(reversed(suffix.split(".")))
    return {
        "id": partition,
        "partition": partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": reverse,
    }


def _organization(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    client = clients("organizations", region)
    organization = client.describe_organization()["Organization"]
    roots = client.list_roots()["Roots"]
    return {
        "id": organization["Id"],
        "arn": organization["Arn"],
        "masterAccountId": organization["MasterAccountId"],
        "featureSet": organization["FeatureSet"],
        "roots": [
            {
                "id": r["Id"],
                "arn": r["Arn"],
                "name": r["Name"],
                "policyTypes": [
                    {"type": t["Type"], "status": t["Status"]} for t in r["PolicyTypes"]
                ],
            }
            for r in roots
        ],
        "accounts": [],
        "nonMasterAccounts": [],
        "awsServiceAccessPrincipals": [],
        "enabledPolicyTypes": [t["Type"] for r in roots for t in r["PolicyTypes"]],
    }


def _parameter(clients: Clients, region: str, args: Mapping[str, Any]) -> dict[str, Any]:
    parameter = clients("ssm", region).get_parameter(Name=args["name"], WithDecryption=True)[
        "Parameter"
    ]
    return {
        "id": parameter["Name"],
        "name": parameter["Name"],
        "arn": parameter["ARN"],
        "type": parameter["Type"],
        "value": parameter["Value"],
        "insecureValue": parameter["Value"],
        "version": parameter["Version"],
        "region": region,
    }


def _filters(
    args: Mapping[str, Any], further: Mapping[str, list[str]] | None = None
) -> dict[str, list[dict[str, Any]]]:
    named = [{"Name": f["name"], "Values": list(f["values"])} for f in args.get("filters") or ()]
    tags = [{"Name": f"tag:{k}", "Values": [v]} for k, v in (args.get("tags") or {}).items()]
    return {
        "Filters": [*named, *tags, *({"Name": k, "Values": v} for k, v in (further or {}).items())]
    }


INVOKES: dict[str, Answer] = {
    "aws:index/getRegions:getRegions": _regions,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _identity,
    "aws:index/getPartition:getPartition": _partition,
    "aws:ec2/getVpcs:getVpcs": _vpcs,
    "aws:iam/getRoles:getRoles": _roles,
    "aws:iam/getRole:getRole": _role,
    "aws:ec2/getVpcEndpointService:getVpcEndpointService": _endpoint_service,
    "aws:organizations/getOrganization:getOrganization": _organization,
    "aws:ssm/getParameter:getParameter": _parameter,
}
