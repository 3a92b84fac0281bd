"""One call as a record of CloudTrail, and what `LookupEvents` says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from lab.gate.call import Call
from lab.gate.wire import Response, read_response
from lab.identity import Identity, now
from lab.trail.shape import request_parameters, response_elements

Record = dict[str, Any]

_DATA = {
    "s3": {
        "HeadBucket",
        "ListObjects",
        "ListObjectsV2",
        "ListObjectVersions",
        "ListMultipartUploads",
        "DeleteObjects",
    },
    "lambda": {"Invoke", "InvokeAsync"},
    "sqs": {"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage"},
    "sns": {"Publish", "PublishBatch"},
    "dynamodb": {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"},
    "cloudwatch": {"PutMetricData", "GetMetricData"},
    "logs": {"PutLogEvents"},
}
"""Data events, which the event history does not have; so are calls on S3's objects."""

_NAMES = {
    ("lambda", "CreateFunction"): "CreateFunction20150331",
    ("lambda", "UpdateFunctionCode"): "UpdateFunctionCode20150331v2",
    ("lambda", "AddPermission"): "AddPermission20150331v2",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "PutObjectLockConfiguration"): "PutBucketObjectLockConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
}
"""Operations that CloudTrail calls by another name."""

_MINTS = {
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "GetSessionToken",
    "GetFederationToken",
}
"""Reads whose answers are recorded all the same."""


def is_management_event(call: Call) -> bool:
    """Whether the event history has calls of this kind."""
    if call.model is None or call.service == "ebs":
        return False
    on_object = call.service == "s3" and "Key" in call.params
    return not on_object and call.operation not in _DATA.get(call.service, ())


def record_call(call: Call, identity: Identity, response: Response | None) -> Record:
    """The record; `response` is None when the answer was lost."""
    if call.model is None:
        raise ValueError(f"{call.operation} is no operation of {call.service}")
    parsed = read_response(call, response) if response is not None else {}
    error = _error(call, parsed.get("Error")) if response is not None and not response.ok else {}
    answered = response is not None and response.ok and (call.mutating or call.operation in _MINTS)
    hidden = error.get("errorCode") in ("AccessDenied", "AccessDeniedException")
    return {
        "eventVersion": "1.11",
        "userIdentity": user_identity(identity),
        "eventTime": stamp(now()),
        "eventSource": f"{call.model.service_model.endpoint_prefix}.amazonaws.com",
        "eventName": _NAMES.get((call.service, call.operation), call.operation),
        "awsRegion": call.region,
        "sourceIPAddress": _source_address(call),
        "userAgent": call.user_agent,
        **error,
        "requestParameters": None
        if hidden
        else request_parameters(call.service, call.operation, call.params),
        "responseElements": response_elements(call.service, call.model.output_shape, parsed)
        if answered
        else None,
        "requestID": parsed.get("ResponseMetadata", {}).get("RequestId") or str(uuid4()),
        "eventID": str(uuid4()),
        "readOnly": not call.mutating,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
    }


def _error(call: Call, error: Any) -> dict[str, str]:
    """EC2's codes get `Client.` or `Server.` before them, IAM's the name of the exception."""
    code, message = str((error or {}).get("Code", "")), str((error or {}).get("Message", ""))
    if call.service == "ec2":
        code = f"{'Server' if code in ('InternalError', 'Unavailable') else 'Client'}.{code}"
    elif call.service == "iam" and code in ("NoSuchEntity", "EntityAlreadyExists", "LimitExceeded"):
        code += "Exception"
    return {"errorCode": code, "errorMessage": message}


def _source_address(call: Call) -> str:
    """Where the call came from: the address that a scenario forwards, else the loopback."""
    return str(call.request.headers.get("X-Forwarded-For", "127.0.0.1"))


def user_identity(identity: Identity) -> Record:
    """The element `userIdentity` (CloudTrail user guide, "CloudTrail userIdentity element")."""
    shown: Record = {
        "type": identity.kind,
        "principalId": identity.principal_id,
        "arn": identity.arn,
        "accountId": identity.account,
        "accessKeyId": identity.access_key,
    }
    if identity.kind == "IAMUser":
        shown["userName"] = identity.user_name
    if identity.session is not None:
        attributes = {
            "creationDate": stamp(identity.session.created),
            "mfaAuthenticated": "false",
        }
        issuer = _issuer(identity) if identity.kind != "IAMUser" else {}
        shown["sessionContext"] = {
            **({"sessionIssuer": issuer} if issuer else {}),
            "attributes": attributes,
        }
    return shown


def _issuer(identity: Identity) -> Record:
    arn = identity.session.issuer if identity.session else ""
    name = arn.rsplit("/", 1)[-1]
    partition = arn.split(":")[1]
    backend: Any = iam_backends[arn.split(":")[4]][get_partition(_A_REGION[partition])]
    kind = "Role" if ":role/" in arn else "IAMUser"
    known = backend.roles.values() if kind == "Role" else backend.users.values()
    identifier = next((x.id for x in known if x.arn == arn), identity.principal_id.split(":")[0])
    return {
        "type": kind,
        "principalId": identifier,
        "arn": arn,
        "accountId": arn.split(":")[4],
        "userName": name,
    }


_A_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def stamp(at: datetime) -> str:
    """A time in CloudTrail's form: UTC, whole seconds, `Z`."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


# --- what LookupEvents says of a record -----------------------------------------------------------

_RESOURCES = {
    "instanceId": "AWS::EC2::Instance",
    "groupId": "AWS::EC2::SecurityGroup",
    "vpcId": "AWS::EC2::VPC",
    "subnetId": "AWS::EC2::Subnet",
    "volumeId": "AWS::EC2::Volume",
    "snapshotId": "AWS::EC2::Snapshot",
    "imageId": "AWS::EC2::Ami",
    "networkInterfaceId": "AWS::EC2::NetworkInterface",
    "keyName": "AWS::EC2::KeyPair",
    "flowLogId": "AWS::EC2::FlowLog",
    "userName": "AWS::IAM::User",
    "groupName": "AWS::IAM::Group",
    "roleName": "AWS::IAM::Role",
    "roleArn": "AWS::IAM::Role",
    "policyArn": "AWS::IAM::Policy",
    "policyName": "AWS::IAM::Policy",
    "instanceProfileName": "AWS::IAM::InstanceProfile",
    "accessKeyId": "AWS::IAM::AccessKey",
    "bucketName": "AWS::S3::Bucket",
    "keyId": "AWS::KMS::Key",
    "functionName": "AWS::Lambda::Function",
    "trailName": "AWS::CloudTrail::Trail",
    "autoScalingGroupName": "AWS::AutoScaling::AutoScalingGroup",
}
"""Members of a record that name a resource, and its type."""


def resources(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """`Resources` of an event: everything that its parameters and its answer name."""
    named: dict[tuple[str, str], None] = {}
    _collect(record.get("requestParameters"), named)
    _collect(record.get("responseElements"), named)
    if record["eventSource"].startswith("cloudtrail."):
        name = (record.get("requestParameters") or {}).get("name")
        named |= {("AWS::CloudTrail::Trail", name): None} if name else {}
    return [{"ResourceType": kind, "ResourceName": name} for kind, name in named]


def _collect(value: Any, named: dict[tuple[str, str], None]) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _RESOURCES and isinstance(inner, str):
                named[_RESOURCES[name], inner] = None
            else:
                _collect(inner, named)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, named)


def username(record: Mapping[str, Any]) -> str:
    """`Username` of an event: the user's name, the session's, or `root`."""
    identity = record.get("userIdentity") or {}
    if identity.get("type") == "Root":
        return "root"
    return str(identity.get("userName") or str(identity.get("arn") or "").rsplit("/", 1)[-1])


def lookup_event(record: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The record as one of `LookupEvents`' events."""
    key = (record.get("userIdentity") or {}).get("accessKeyId")
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": "true" if record.get("readOnly") else "false",
        "EventTime": at,
        "EventSource": record["eventSource"],
        "Resources": resources(record),
        "CloudTrailEvent": json.dumps(record, separators=(",", ":")),
    }
    name = username(record)
    return {
        **event,
        **({"AccessKeyId": key} if key else {}),
        **({"Username": name} if name else {}),
    }
