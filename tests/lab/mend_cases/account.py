"""The account under test, and what several cases build in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

REGION = "us-east-1"


CASES: dict[str, Callable[[Account], None]] = {}


@dataclass(frozen=True)
class Account:
    """Clients of the account under test."""

    endpoint: str | None = None

    def client(self, service: str, region: str = REGION, **keys: str) -> Any:
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        return _client(service, region, self.endpoint, tuple(keys.get(n) for n in names))


_clients: dict[Any, Any] = {}


def _client(service: str, region: str, endpoint: str | None, keys: tuple[Any, ...]) -> Any:
    where = (service, region, endpoint, keys)
    if where not in _clients:
        _clients[where] = boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            aws_session_token=keys[2],
        )
    return _clients[where]


def case(function: Callable[[Account], None]) -> Callable[[Account], None]:
    CASES[function.__name__] = function
    return function


@contextmanager
def refused(code: str) -> Iterator[None]:
    """The call in the block must fail with this code."""
    with pytest.raises(ClientError) as caught:
        yield
    assert caught.value.response["Error"]["Code"] == code, str(caught.value)


@dataclass(frozen=True)
class Scene:
    """A VPC with two subnets, three groups and an instance with two interfaces."""

    vpc: str
    subnet: str
    app: str
    db: str
    iso: str
    instance: str
    interfaces: tuple[str, str]


def scene(account: Account, instance_type: str = "m7i.large") -> Scene:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    app, db, iso = (
        ec2.create_security_group(GroupName=n, Description=n, VpcId=vpc)["GroupId"]
        for n in ("app", "db", "iso")
    )
    run = ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType=instance_type,
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[
            {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [app]},
            {"DeviceIndex": 1, "SubnetId": subnet, "Groups": [db]},
        ],
    )["Instances"][0]
    ids = {
        n["Attachment"]["DeviceIndex"]: n["NetworkInterfaceId"] for n in run["NetworkInterfaces"]
    }
    return Scene(vpc, subnet, app, db, iso, run["InstanceId"], (ids[0], ids[1]))


def one_interface(account: Account, made: Scene) -> str:
    """An instance of one interface, launched with groups of the instance."""
    ec2 = account.client("ec2")
    run = ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType="m7i.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=made.subnet,
        SecurityGroupIds=[made.app],
    )
    return run["Instances"][0]["InstanceId"]


def instance(account: Account, instance_id: str) -> dict[str, Any]:
    answer = account.client("ec2").describe_instances(InstanceIds=[instance_id])
    return answer["Reservations"][0]["Instances"][0]


def groups(account: Account, interface: str) -> list[str]:
    answer = account.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[interface])
    return [g["GroupId"] for g in answer["NetworkInterfaces"][0]["Groups"]]


def snapshot_of(account: Account, **encryption: Any) -> str:
    ec2 = account.client("ec2")
    volume = ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a", **encryption)["VolumeId"]
    return ec2.create_snapshot(VolumeId=volume, Description="IR")["SnapshotId"]


def bucket(account: Account, *, lock: bool = False) -> str:
    account.client("s3").create_bucket(Bucket="evidence", ObjectLockEnabledForBucket=lock)
    return "evidence"


def user_keys(account: Account, name: str = "alice") -> dict[str, str]:
    iam = account.client("iam")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
    }


DOCUMENT = {
    "schemaVersion": "2.2",
    "description": "example",
    "parameters": {
        "Mode": {"type": "String", "allowedPattern": "^(?:apply|undo)$"},
        "Channel": {"type": "String", "allowedPattern": "^(?:yes|no)$", "default": "yes"},
    },
    "mainSteps": [
        {"action": "aws:runShellScript", "name": "linux", "inputs": {"runCommand": ["true"]}}
    ],
}


def managed(account: Account) -> str:
    """An instance with an agent, by AWS's own conditions; and a document of the kit's name."""
    ec2, iam, ssm = account.client("ec2"), account.client("iam"), account.client("ssm")
    made = scene(account)
    ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=made.vpc,
        ServiceName=f"com.amazonaws.{REGION}.ssm",
        SubnetIds=[made.subnet],
        SecurityGroupIds=[made.app],
    )
    iam.create_instance_profile(InstanceProfileName="app")
    ec2.associate_iam_instance_profile(InstanceId=made.instance, IamInstanceProfile={"Name": "app"})
    ssm.create_document(
        Name="cordon-host-firewall", DocumentType="Command", Content=json.dumps(DOCUMENT)
    )
    return made.instance
