"""Which IAM action an API call needs. Most are `service:Operation`; these are not.

Source: the Service Authorization Reference, pages of the services named.
"""

from __future__ import annotations

PREFIXES = {
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "stepfunctions": "states",
}
"""boto3's name of a service to its prefix in IAM, where they differ."""

ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
}
"""A call to the action that it needs, where the names differ."""

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

CREATES = {
    "CopySnapshot": ("snapshot",),
    "CreateSecurityGroup": ("security-group",),
    "CreateSnapshot": ("snapshot",),
    "CreateSnapshots": ("snapshot",),
    "CreateVolume": ("volume",),
    "CreateVpcEndpoint": ("vpc-endpoint",),
    "RunInstances": ("instance", "network-interface", "volume"),
}
"""EC2's operations to the kinds of what they create, which they must be allowed on as well."""
WITHOUT_OWNER = {"ec2:CopyImage", "ec2:CopySnapshot", "ec2:CreateVolume", "ec2:CreateVpcEndpoint"}
"""Actions without the key `aws:ResourceAccount`, and all of `ebs` (IAM user guide, "AWS global
condition context keys")."""

FREE = {"sts:GetCallerIdentity", "sts:GetAccessKeyInfo"}
"""Calls that need no permission, or cannot be denied by a missing one."""


def prefix_of(service: str) -> str:
    """The service's prefix in IAM, by boto3's name."""
    return PREFIXES.get(service, service)


def action_of(service: str, operation: str) -> str:
    """The IAM action of a call, by boto3's names."""
    action = f"{prefix_of(service)}:{operation}"
    return ACTIONS.get(action, action)
