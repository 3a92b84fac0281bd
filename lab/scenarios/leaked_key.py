"""A leaked access key, used from outside, while others go on working.

The key of `ci` is used from a foreign address: a look around, a second key, an admin user with a
password, a role opened to another account, miners in two far regions, a federation token minted
while the key was still active, logging stopped, a snapshot given away, and attempts that were
denied. Every call is really made, so that the trail has it as CloudTrail would; `Leak.planted` says
what a hunt must find, and through which key. `carol` and `bob` are the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from lab.gate.call import Call
from lab.mended import FAULTS
from lab.server import HOME_REGION, credentials_env

ADDRESS = "203.0.113.66"
"""Where the thief calls from: an example's address."""
OUTSIDE = "444455556666"
"""The thief's own account."""
MINES = ("ap-southeast-1", "sa-east-1")


@dataclass(frozen=True)
class Planted:
    """One thing that the thief left: CloudFormation's name of its type, its id and region.

    `how` is the event that made it; `by` the access key that called; `fate` one of `created`,
    `changed`, `shared`, `blinded`, `attempted`. `exists`: it is still there.
    """

    fate: str
    type: str
    id: str
    region: str
    how: str
    by: str
    exists: bool = True


@dataclass(frozen=True)
class Leak:
    """The incident. `keys` maps each credential of the thief to the event that minted it."""

    key: str
    keys: Mapping[str, str]
    planted: tuple[Planted, ...]
    innocent: tuple[str, ...]
    """Ids of what the others made meanwhile: a hunt for the thief must name none of it."""

    def of(self, kind: str) -> tuple[Planted, ...]:
        """What was planted in one way."""
        return tuple(p for p in self.planted if p.fate == kind)


Credentials = Mapping[str, str]
"""`AccessKeyId`, `SecretAccessKey` and perhaps `SessionToken`, as IAM and STS give them."""


def play(endpoint: str | None = None) -> Leak:
    """Plays it against the account behind `endpoint`, or against the one in this process."""
    return _Story(endpoint).play()


class _Story:
    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint
        env = credentials_env()
        self._owner = {
            "AccessKeyId": env["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": env["AWS_SECRET_ACCESS_KEY"],
        }
        self._account = str(self._as_owner("sts").get_caller_identity()["Account"])
        self._keys: dict[str, str] = {}
        self._planted: list[Planted] = []
        self._innocent: list[str] = []

    def play(self) -> Leak:
        volume, flow_log = self._before()
        ci, carol = self._user("ci"), self._user("carol")
        self._look_around(ci)
        second = self._minted(
            self._as_thief(ci, "iam").create_access_key(UserName="ci")["AccessKey"],
            "CreateAccessKey",
        )
        self._plant("created", "AWS::IAM::AccessKey", second, "CreateAccessKey", ci)
        admin = self._admin_user(second)
        self._open_role(admin)
        for region in MINES:
            self._mine(admin, region)
        self._give_away(second, volume)
        self._blind(ci, flow_log)
        self._others(carol)
        return Leak(
            ci["AccessKeyId"], dict(self._keys), tuple(self._planted), tuple(self._innocent)
        )

    # -- the account as it was --

    def _before(self) -> tuple[str, str]:
        """A role, a trail that logs, a volume and a flow log; the ids of the last two."""
        self._as_owner("iam").create_role(
            RoleName="deploy", AssumeRolePolicyDocument=_trust(self._account)
        )
        self._as_owner("s3").create_bucket(Bucket="audit-logs-example")
        trails = self._as_owner("cloudtrail")
        trails.create_trail(Name="audit", S3BucketName="audit-logs-example")
        trails.start_logging(Name="audit")
        ec2 = self._as_owner("ec2")
        volume = ec2.create_volume(AvailabilityZone=f"{HOME_REGION}a", Size=1)["VolumeId"]
        log = ec2.create_flow_logs(
            ResourceIds=[ec2.describe_vpcs()["Vpcs"][0]["VpcId"]],
            ResourceType="VPC",
            TrafficType="ALL",
            LogDestinationType="s3",
            LogDestination="arn:aws:s3:::audit-logs-example",
        )["FlowLogIds"][0]
        return volume, log

    def _user(self, name: str) -> Credentials:
        iam = self._as_owner("iam")
        iam.create_user(UserName=name)
        key: Credentials = iam.create_access_key(UserName=name)["AccessKey"]
        return key

    # -- the thief --

    def _look_around(self, ci: Credentials) -> None:
        self._as_thief(ci, "sts").get_caller_identity()
        self._as_thief(ci, "iam").list_users()
        for region in (HOME_REGION, *MINES):
            self._as_thief(ci, "ec2", region).describe_instances()
        iam = self._as_thief(ci, "iam")
        everything = "arn:aws:iam::aws:policy/AdministratorAccess"
        self._attempt(
            ci,
            "AttachUserPolicy",
            lambda: iam.attach_user_policy(UserName="ci", PolicyArn=everything),
        )
        self._attempt(
            ci,
            "DeleteTrail",
            lambda: self._as_thief(ci, "cloudtrail").delete_trail(Name="audit"),
        )

    def _attempt(self, key: Credentials, operation: str, call: Callable[[], Any]) -> None:
        """A call of this key that is denied, once."""

        def by_this_key(call: Call) -> bool:
            return call.access_key == key["AccessKeyId"]

        FAULTS.deny("*", operation, only=by_this_key, times=1)
        try:
            call()
        except ClientError as error:
            self._plant("attempted", "", error.response["Error"]["Code"], operation, key)
        else:
            raise RuntimeError(f"{operation} was to be denied")

    def _admin_user(self, second: Credentials) -> Credentials:
        """A user with everything, a password and a key."""
        name, iam = "backup-admin", self._as_thief(second, "iam")
        iam.create_user(UserName=name)
        self._plant("created", "AWS::IAM::User", name, "CreateUser", second)
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=_everything())
        self._plant("changed", "AWS::IAM::User", name, "PutUserPolicy", second)
        iam.create_login_profile(UserName=name, Password="Example-Passw0rd!")  # noqa: S106
        self._plant("created", "AWS::IAM::LoginProfile", name, "CreateLoginProfile", second)
        key = self._minted(iam.create_access_key(UserName=name)["AccessKey"], "CreateAccessKey")
        self._plant("created", "AWS::IAM::AccessKey", key, "CreateAccessKey", second)
        return key

    def _open_role(self, admin: Credentials) -> None:
        """The role trusts the thief's account, from which it is then used."""
        self._as_thief(admin, "iam").update_assume_role_policy(
            RoleName="deploy", PolicyDocument=_trust(OUTSIDE)
        )
        self._plant("shared", "AWS::IAM::Role", "deploy", "UpdateAssumeRolePolicy", admin)
        session = self._minted(
            self._as_thief(_foreign_key(), "sts").assume_role(
                RoleArn=f"arn:aws:iam::{self._account}:role/deploy", RoleSessionName="mallory"
            )["Credentials"],
            "AssumeRole",
        )
        bucket = "drop-example"
        self._as_thief(session, "s3").create_bucket(Bucket=bucket)
        self._plant("created", "AWS::S3::Bucket", bucket, "CreateBucket", session)

    def _mine(self, admin: Credentials, region: str) -> None:
        """Two machines behind a group that is open to all; the first of them is ended again."""
        ec2 = self._as_thief(admin, "ec2", region)
        pair = ec2.create_key_pair(KeyName="miner")["KeyPairId"]
        self._plant("created", "AWS::EC2::KeyPair", pair, "CreateKeyPair", admin, region)
        group = ec2.create_security_group(GroupName="miner", Description="miner")["GroupId"]
        self._plant(
            "created", "AWS::EC2::SecurityGroup", group, "CreateSecurityGroup", admin, region
        )
        ec2.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )
        miners = ec2.run_instances(
            ImageId="ami-0123456789abcdef0",
            InstanceType="p3.8xlarge",
            KeyName="miner",
            SecurityGroupIds=[group],
            MinCount=2,
            MaxCount=2,
        )["Instances"]
        ids = sorted(m["InstanceId"] for m in miners)
        ec2.terminate_instances(InstanceIds=ids[:1])
        for miner in ids:
            is_left = miner != ids[0]
            self._plant(
                "created", "AWS::EC2::Instance", miner, "RunInstances", admin, region, is_left
            )

    def _give_away(self, second: Credentials, volume: str) -> None:
        ec2 = self._as_thief(second, "ec2")
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self._plant("created", "AWS::EC2::Snapshot", snapshot, "CreateSnapshot", second)
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot,
            Attribute="createVolumePermission",
            OperationType="add",
            UserIds=[OUTSIDE],
        )
        self._plant("shared", "AWS::EC2::Snapshot", snapshot, "ModifySnapshotAttribute", second)

    def _blind(self, ci: Credentials, flow_log: str) -> None:
        """A federation token, which deactivating the key will not end, stops the logs."""
        token = self._minted(
            self._as_thief(ci, "sts").get_federation_token(Name="support")["Credentials"],
            "GetFederationToken",
        )
        self._as_thief(token, "cloudtrail").stop_logging(Name="audit")
        self._plant("blinded", "AWS::CloudTrail::Trail", "audit", "StopLogging", token)
        self._as_thief(token, "ec2").delete_flow_logs(FlowLogIds=[flow_log])
        self._plant("blinded", "AWS::EC2::FlowLog", flow_log, "DeleteFlowLogs", token)

    # -- the others --

    def _others(self, carol: Credentials) -> None:
        """Honest work at the same time, some of it with the same things."""
        self._client(carol, "iam").create_user(UserName="bob")
        pair = self._client(carol, "ec2", MINES[0]).create_key_pair(KeyName="carol")["KeyPairId"]
        session = self._client(carol, "sts").assume_role(
            RoleArn=f"arn:aws:iam::{self._account}:role/deploy", RoleSessionName="carol"
        )["Credentials"]
        self._client(session, "s3").create_bucket(Bucket="honest-example")
        self._innocent += ["bob", pair, "honest-example", carol["AccessKeyId"]]
        self._innocent.append(session["AccessKeyId"])

    # -- how they call --

    def _as_owner(self, service: str) -> Any:
        return self._client(self._owner, service)

    def _as_thief(self, key: Credentials, service: str, region: str = HOME_REGION) -> Any:
        client = self._client(key, service, region)
        client.meta.events.register("before-sign", _from_outside)
        return client

    def _client(self, key: Credentials, service: str, region: str = HOME_REGION) -> Any:
        return cast(Any, boto3).client(
            service,
            region_name=region,
            endpoint_url=self._endpoint,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key.get("SessionToken"),
        )

    def _minted(self, key: Credentials, how: str) -> Credentials:
        self._keys[key["AccessKeyId"]] = how
        return key

    def _plant(
        self,
        fate: str,
        kind: str,
        subject: str | Credentials,
        how: str,
        by: Credentials,
        region: str = HOME_REGION,
        exists: bool = True,
    ) -> None:
        name = subject if isinstance(subject, str) else subject["AccessKeyId"]
        self._planted.append(Planted(fate, kind, name, region, how, by["AccessKeyId"], exists))


def _from_outside(request: Any, **_: Any) -> None:
    request.headers["X-Forwarded-For"] = ADDRESS


def _foreign_key() -> Credentials:
    """A key of the thief's own account."""
    backend = iam_backends[OUTSIDE]["aws"]
    backend.create_user(HOME_REGION, "mallory")
    key = backend.create_access_key("mallory")
    return {"AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret_access_key}


def _trust(account: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    return _document({"Principal": principal, "Action": "sts:AssumeRole"})


def _everything() -> str:
    return _document({"Action": "*", "Resource": "*"})


def _document(allowed: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **allowed}]})
