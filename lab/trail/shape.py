"""Parameters and answers in the spelling of CloudTrail's records.

Names begin in lower case. EC2's are those of its XML, with lists as `{"items": [...]}`, and a few
request parameters have names of their own. Secrets are taken out. (CloudTrail user guide,
"CloudTrail record contents"; EC2 API reference, "Log API calls with CloudTrail".)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_SECRET = {
    "SecretAccessKey",
    "KeyMaterial",
    "Password",
    "OldPassword",
    "NewPassword",
    "Plaintext",
    "UserData",
    "SecretString",
    "PrivateKey",
}

_EC2_SETS = {
    "InstanceIds": ("instancesSet", "instanceId"),
    "Resources": ("resourcesSet", "resourceId"),
    "Groups": ("groupSet", "groupId"),
    "SecurityGroupIds": ("groupSet", "groupId"),
    "GroupIds": ("securityGroupIdSet", "groupId"),
    "VolumeIds": ("volumeSet", "volumeId"),
    "SnapshotIds": ("snapshotSet", "snapshotId"),
    "ImageIds": ("imagesSet", "imageId"),
    "VpcIds": ("vpcSet", "vpcId"),
    "SubnetIds": ("subnetSet", "subnetId"),
    "NetworkInterfaceIds": ("networkInterfaceIdSet", "networkInterfaceId"),
    "RegionNames": ("regionSet", "regionName"),
    "KeyNames": ("keySet", "keyName"),
    "Values": ("valueSet", "value"),
    "UserIds": ("userIds", "userId"),
}
"""EC2's lists of texts: the member that holds the list, and what each text is called in it."""

_EC2_NAMES = {
    "Tags": "tagSet",
    "TagSpecifications": "tagSpecificationSet",
    "Filters": "filterSet",
    "NetworkInterfaces": "networkInterfaceSet",
    "BlockDeviceMappings": "blockDeviceMapping",
}
_LAUNCH = ("ImageId", "MinCount", "MaxCount", "KeyName")
"""Parameters of RunInstances that CloudTrail keeps in `instancesSet`."""


def request_parameters(service: str, operation: str, params: Mapping[str, Any]) -> Any:
    """`requestParameters`; None when there are none."""
    if service == "ec2":
        return _ec2_request(operation, params) or None
    if service == "s3":
        return _s3_request(params) or None
    return _plain(service, params) or None


def response_elements(service: str, shape: Any, result: Mapping[str, Any]) -> Any:
    """`responseElements`, from boto3's result and the shape of the operation's output."""
    body = {k: v for k, v in result.items() if k != "ResponseMetadata"}
    if service != "ec2":
        return _plain(service, body) or None
    members = _ec2_response(shape, body) if shape is not None else {}
    return {"requestId": result["ResponseMetadata"].get("RequestId", ""), **members} or None


def _ec2_request(operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    launch: dict[str, Any] = {}
    for name, value in params.items():
        if operation == "RunInstances" and name in _LAUNCH:
            launch[_lower(name)] = value
        elif operation == "CreateSecurityGroup" and name == "Description":
            shown["groupDescription"] = value
        elif operation == "ModifySnapshotAttribute" and name in ("UserIds", "OperationType"):
            continue
        else:
            shown |= _ec2_member(name, value)
    if launch:
        shown["instancesSet"] = {"items": [launch]}
    if operation == "ModifySnapshotAttribute" and "UserIds" in params:
        users = {"items": [{"userId": user} for user in params["UserIds"]]}
        shown["createVolumePermission"] = {params["OperationType"]: users}
    return shown


def _ec2_member(name: str, value: Any) -> dict[str, Any]:
    if name in _SECRET:
        return {_lower(name): "<sensitiveDataRemoved>"}
    if isinstance(value, list) and name in _EC2_SETS:
        holder, item = _EC2_SETS[name]
        return {holder: {"items": [{item: _ec2_value(v)} for v in value]}}
    return {_EC2_NAMES.get(name, _lower(name)): _ec2_value(value)}


def _ec2_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"Value"}:
            return {"value": _ec2_value(value["Value"])}
        members: dict[str, Any] = {}
        for name, inner in value.items():
            members |= _ec2_member(name, inner)
        return members
    if isinstance(value, list):
        return {"items": [_ec2_value(v) for v in value]}
    return _scalar("ec2", value)


def _ec2_response(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        members: dict[str, Any] = {}
        for name, inner in value.items():
            member = shape.members.get(name)
            if member is None or inner in (None, []):
                continue
            shown = _lower(member.serialization.get("name", name))
            secret = name in _SECRET
            members[shown] = "<sensitiveDataRemoved>" if secret else _ec2_response(member, inner)
        return {"_return" if key == "return" else key: v for key, v in members.items()}
    if shape.type_name == "list":
        return {"items": [_ec2_response(shape.member, v) for v in value]}
    return _scalar("ec2", value)


def _s3_request(params: Mapping[str, Any]) -> dict[str, Any]:
    shown = {k: v for k, v in params.items() if k not in ("Bucket", "Body", "ContentLength")}
    plain: dict[str, Any] = _plain("s3", shown)
    bucket = {"bucketName": params["Bucket"]} if "Bucket" in params else {}
    return {**bucket, "Host": "s3.amazonaws.com", **plain}


def _plain(service: str, value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        shown: dict[str, Any] = {}
        for key, inner in value.items():
            if key == "SecretAccessKey":
                continue
            hidden = key in _SECRET or (service, key, name) == ("ssm", "Value", "")
            shown[_lower(str(key))] = HIDDEN if hidden else _plain(service, inner, str(key))
        return shown
    if isinstance(value, (list, tuple)):
        return [_plain(service, v, name) for v in value]
    return _scalar(service, value)


def _scalar(service: str, value: Any) -> Any:
    if isinstance(value, datetime):
        at = value if value.tzinfo else value.replace(tzinfo=UTC)
        if service == "ec2":
            return int(at.timestamp() * 1000)
        clock = f"{(at.hour % 12) or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"
        return f"{at:%b} {at.day}, {at.year} {clock}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return HIDDEN
    return value


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
