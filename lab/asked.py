"""What IAM is asked when a call is made: action, resources, and the keys of the request.

A call asks several questions: of its own action once for each resource, those that it makes among
them, and of every action that AWS carries out in the caller's name on the way: the tags of what is
created, the role of a profile, the keys of what is encrypted, the zone of an endpoint (Service
Authorization Reference, "Dependent actions"; EBS user guide, "Required permissions for users").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from lab.gate.call import Call
from lab.iam_actions import CREATES, KINDS, PUBLIC_KINDS, WITHOUT_OWNER, action_of, prefix_of
from lab.policy import Asked

ID = re.compile(r"(i|eni|sg|vol|vpc|subnet|acl|eipalloc|vpce|rtb|snap|ami)-[0-9a-f]{8,17}")
IAM_NAMES = {"UserName": "user", "RoleName": "role", "InstanceProfileName": "instance-profile"}
"""Parameters of IAM's calls to the kind of what they name."""
FOR_VOLUMES = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
FOR_ENDPOINTS = ("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs")
Context = Mapping[str, str | tuple[str, ...]]
NO_KEYS: Context = {}


@dataclass(frozen=True)
class Asker:
    """Reads the questions out of one call; `principal` is the caller's `aws:PrincipalArn`."""

    call: Call
    principal: str = ""
    partition: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "partition", get_partition(self.call.region))

    def questions(self) -> Iterator[Asked]:
        """Each must be allowed, or the call is refused."""
        call = self.call
        action = action_of(call.service, call.operation)
        own, request = self._own_resources(), self._request_keys()
        if not own and "AssociationId" in call.params and call.service == "ec2":
            return  # an association that is gone: EC2 finds nothing to judge
        for resource in own or ((),):
            yield self._ask(action, resource or "", request)
        yield from self._tags_of_what_is_created(request)
        yield from self._passed_roles()
        yield from self._keys_of_volumes()
        yield from self._keys_of_objects()
        if call.operation == "CreateVpcEndpoint" and call.params.get("PrivateDnsEnabled"):
            yield from (self._ask(action) for action in FOR_ENDPOINTS)
            zone = f"arn:{self.partition}:route53:::hostedzone/Z0EXAMPLE"
            yield self._ask("route53:AssociateVPCWithHostedZone", zone)

    def _ask(self, action: str, resource: str | tuple[()] = "", keys: Context = NO_KEYS) -> Asked:
        """One question. Without a resource, only a statement on `*` speaks of it."""
        call = self.call
        context: dict[str, str | tuple[str, ...]] = {
            "aws:RequestedRegion": call.region,
            "aws:SecureTransport": "true",
            "aws:PrincipalAccount": call.account,
            **({"aws:PrincipalArn": self.principal} if self.principal else {}),
            **keys,
        }
        if not resource:
            return Asked(action, (), context=context)
        if action not in WITHOUT_OWNER and not action.startswith("ebs:"):
            context["aws:ResourceAccount"] = call.account
        return Asked(action, (resource,), context={**context, **self._resource_keys(resource)})

    # -- the resources --

    def _own_resources(self) -> list[str]:
        """ARNs that the call's own action is judged on; a key beside is another's matter."""
        if self.call.operation.startswith(("Describe", "List")) and self.call.service == "ec2":
            return []
        service = prefix_of(self.call.service)
        shown = "ec2" if service == "ebs" else service  # blocks are read from EC2's snapshots
        named = {arn for arn in self._named() if arn.split(":")[2] in (shown, service)}
        if service == "ssm" and self.call.operation == "SendCommand":
            named |= {self._arn("ec2", f"instance/{i}") for i in self.call.params["InstanceIds"]}
        created = [self._new(kind) for kind in CREATES.get(self.call.operation, ())]
        return sorted({*named, *(created if service == "ec2" else ())})

    def _named(self) -> Iterator[str]:
        call, params = self.call, self.call.params
        if call.service == "s3" and "Bucket" in params:
            bucket = f"arn:{self.partition}:s3:::{params['Bucket']}"
            yield f"{bucket}/{params['Key']}" if "Key" in params else bucket
        elif call.service == "iam":
            yield from self._named_in_iam()
        elif call.service == "ssm":
            yield from self._named_in_ssm()
        elif call.service == "autoscaling" and "AutoScalingGroupName" in params:
            group = params["AutoScalingGroupName"]
            yield self._arn("autoscaling", f"autoScalingGroup:1:autoScalingGroupName/{group}")
        elif call.service == "autoscaling" and call.operation == "CreateOrUpdateTags":
            for tag in params["Tags"]:
                group = tag["ResourceId"]
                yield self._arn("autoscaling", f"autoScalingGroup:1:autoScalingGroupName/{group}")
        elif call.service == "elb" and "LoadBalancerName" in params:
            name = params["LoadBalancerName"]
            yield self._arn("elasticloadbalancing", f"loadbalancer/{name}")
        elif call.service == "kms" and "KeyId" in params:
            yield self._key(str(params["KeyId"]))
        else:
            yield from self._named_in(params)
            yield from self._of_an_association()

    def _named_in(self, value: object) -> Iterator[str]:
        """ARNs of all EC2 ids, and all ARNs, in the parameters."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if key not in ("TagSpecifications", "Tags", "PolicyDocument"):
                    yield from self._named_in(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from self._named_in(inner)
        elif isinstance(value, str) and value.startswith("arn:"):
            yield value
        elif isinstance(value, str) and (match := ID.fullmatch(value)):
            yield self._ec2(match[1], value)

    def _ec2(self, prefix: str, name: str) -> str:
        if prefix in PUBLIC_KINDS:
            return f"arn:{self.partition}:ec2:{self.call.region}::{PUBLIC_KINDS[prefix]}/{name}"
        return self._arn("ec2", f"{KINDS[prefix]}/{name}")

    def _new(self, kind: str) -> str:
        """What a call creates has no id yet: `*` stands in its ARN."""
        account = "" if kind in PUBLIC_KINDS.values() else self.call.account
        return f"arn:{self.partition}:ec2:{self.call.region}:{account}:{kind}/*"

    def _of_an_association(self) -> Iterator[str]:
        """The instance or address behind an association's id, which has no ARN."""
        association_id = str(self.call.params.get("AssociationId", ""))
        backend = ec2_backends[self.call.account][self.call.region]
        if association_id.startswith("iip-assoc-"):
            for key, association in backend.iam_instance_profile_associations.items():
                if association_id in (key, getattr(association, "association_id", "")):
                    yield self._arn("ec2", f"instance/{association.instance.id}")
        elif association_id.startswith("eipassoc-"):
            for address in backend.addresses:
                if address.association_id == association_id:
                    yield self._arn("ec2", f"elastic-ip/{address.allocation_id}")

    def _named_in_iam(self) -> Iterator[str]:
        params = self.call.params
        named = {kind: params[name] for name, kind in IAM_NAMES.items() if params.get(name)}
        for kind, name in named.items():
            yield self._iam(kind, str(name))
        if params.get("GroupName"):
            yield self._iam("group", str(params["GroupName"]))
        elif not named and "PolicyArn" in params:
            yield str(params["PolicyArn"])
        elif self.call.operation == "CreatePolicy":
            yield self._iam("policy", f"{params.get('Path', '/')}{params['PolicyName']}"[1:])

    def _iam(self, kind: str, name: str) -> str:
        backend = iam_backends[self.call.account][self.partition]
        owners: dict[str, Any] = {
            "user": backend.users.values(),
            "role": backend.get_roles(),
            "instance-profile": backend.instance_profiles.values(),
        }
        arn = next((owner.arn for owner in owners.get(kind, ()) if owner.name == name), None)
        return str(arn or f"arn:{self.partition}:iam::{self.call.account}:{kind}/{name}")

    def _named_in_ssm(self) -> Iterator[str]:
        params, operation = self.call.params, self.call.operation
        if operation == "GetParameter":
            name = str(params["Name"]).lstrip("/")
            public = name.startswith("aws/service/")
            account = "" if public else self.call.account
            yield f"arn:{self.partition}:ssm:{self.call.region}:{account}:parameter/{name}"
        elif operation in ("DescribeDocument", "GetDocument"):
            yield self._arn("ssm", f"document/{params['Name']}")
        elif operation == "SendCommand":
            yield self._arn("ssm", f"document/{params['DocumentName']}")

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:{self.partition}:{service}:{self.call.region}:{self.call.account}:{rest}"

    def _key(self, key: str) -> str:
        """A KMS key's ARN, of its id or alias too."""
        if key.startswith("arn:") and ":key/" in key:
            return key
        backend = kms_backends[self.call.account][self.call.region]
        name = backend.get_key_id_from_alias(key) if "alias/" in key else key
        return self._arn("kms", f"key/{name or key}")

    # -- the keys of the request --

    def _request_keys(self) -> Context:
        params = self.call.params
        keys: dict[str, str | tuple[str, ...]] = {}
        tags: dict[str, str] = {}
        for block in [params, *params.get("TagSpecifications", ())]:
            listed = block.get("Tags") or ()
            tags |= {str(t["Key"]): t.get("Value") or "" for t in listed if isinstance(t, Mapping)}
        keys |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        if tags:
            keys["aws:TagKeys"] = tuple(tags)
        if "PolicyArn" in params:
            keys["iam:PolicyARN"] = str(params["PolicyArn"])
        if self.call.operation == "ListObjectsV2" and "Prefix" in params:
            keys["s3:prefix"] = str(params["Prefix"])
        if profile := self._profile():
            new = self.call.operation != "RunInstances"
            keys["ec2:NewInstanceProfile" if new else "ec2:InstanceProfile"] = profile
        for permission in params.get("CreateVolumePermission", {}).get("Add", ()):
            keys |= {
                f"ec2:Add/{'group' if k == 'Group' else 'userId'}": v for k, v in permission.items()
            }
        return keys

    def _profile(self) -> str:
        """ARN of the instance profile that a call of EC2 gives."""
        profile = self.call.params.get("IamInstanceProfile")
        if self.call.service != "ec2" or not isinstance(profile, Mapping):
            return ""
        return str(profile.get("Arn") or self._iam("instance-profile", str(profile.get("Name"))))

    # -- the keys of a resource --

    def _resource_keys(self, arn: str) -> Context:
        service, name = arn.split(":")[2], arn.rsplit("/", 1)[-1]
        tags: Mapping[str, str] = {}
        keys: dict[str, str] = {}
        if service == "ec2":
            backend = ec2_backends[self.call.account][self.call.region]
            tags = backend.tags.get(name, {})
            if snapshot := backend.snapshots.get(name):
                keys["ec2:Owner"] = str(snapshot.owner_id)
        elif service == "iam":
            tags = self._iam_tags(arn)
        return {**keys, **{f"aws:ResourceTag/{key}": str(v) for key, v in tags.items()}}

    def _iam_tags(self, arn: str) -> dict[str, str]:
        backend = iam_backends[self.call.account][self.partition]
        owners: list[Any] = [*backend.get_roles(), *backend.users.values()]
        owner = next((candidate for candidate in owners if candidate.arn == arn), None)
        listed = getattr(owner, "tags", None) or {}
        pairs = listed.values() if isinstance(listed, Mapping) else listed
        return {t["Key"]: t["Value"] for t in pairs}

    # -- what AWS does on the way, in the caller's name --

    def _tags_of_what_is_created(self, request: Context) -> Iterator[Asked]:
        call = self.call
        if call.service == "iam" and call.operation == "CreatePolicy" and call.params.get("Tags"):
            yield from (self._ask("iam:TagPolicy", arn, request) for arn in self._named_in_iam())
        for block in call.params.get("TagSpecifications", ()) if call.service == "ec2" else ():
            keys = {**request, "ec2:CreateAction": call.operation}
            yield self._ask("ec2:CreateTags", self._new(str(block["ResourceType"])), keys)

    def _passed_roles(self) -> Iterator[Asked]:
        """Roles that a call hands to EC2 with an instance profile."""
        arn = self._profile()
        service = "ec2.amazonaws.com.cn" if self.partition == "aws-cn" else "ec2.amazonaws.com"
        backend = iam_backends[self.call.account][self.partition]
        for profile in backend.instance_profiles.values() if arn else ():
            if profile.arn == arn:
                for role in profile.roles:
                    yield self._ask("iam:PassRole", role.arn, {"iam:PassedToService": service})

    def _keys_of_volumes(self) -> Iterator[Asked]:
        """EC2 reads and writes under the keys of snapshots and volumes, and grants itself that."""
        call, params = self.call, self.call.params
        backend = ec2_backends[call.account][call.region]
        if call.service == "ec2" and call.operation in ("CopySnapshot", "CreateVolume"):
            source = str(params.get("SourceSnapshotId") or params.get("SnapshotId") or "")
            snapshot = backend.snapshots.get(source)
            keys = {params.get("KmsKeyId"), getattr(snapshot, "kms_key_id", None)}
        elif call.service == "ec2" and call.operation == "RunInstances":
            disks = [mapping.get("Ebs", {}) for mapping in params.get("BlockDeviceMappings", ())]
            keys = {disk.get("KmsKeyId") for disk in disks}
        else:
            return
        through = {"kms:ViaService": f"ec2.{call.region}.amazonaws.com"}
        granted = {**through, "kms:GrantIsForAWSResource": "true"}
        for key in sorted(self._key(str(key)) for key in keys if key):
            yield from (self._ask(action, key, through) for action in FOR_VOLUMES)
            yield self._ask("kms:CreateGrant", key, granted)

    def _keys_of_objects(self) -> Iterator[Asked]:
        """S3 encrypts and decrypts under the bucket's key."""
        call = self.call
        action = action_of(call.service, call.operation)
        if action not in ("s3:PutObject", "s3:GetObject"):
            return
        backend = s3_backends[call.account][self.partition]
        bucket = backend.buckets.get(str(call.params["Bucket"]))
        rules = (getattr(bucket, "encryption", None) or {}).get("Rule", {})
        default = rules.get("ApplyServerSideEncryptionByDefault", {})
        if key := default.get("KMSMasterKeyID"):
            needs = "kms:GenerateDataKey" if action == "s3:PutObject" else "kms:Decrypt"
            region = str(key).split(":")[3] if str(key).startswith("arn:") else call.region
            through = {"kms:ViaService": f"s3.{region}.amazonaws.com"}
            yield self._ask(needs, self._key(str(key)), through)
