"""What AWS does and plain moto does not: one function per mend, run with and without the mends.

Each takes an `Account` and raises (an assertion, or whatever moto raises) unless the account
behaves as AWS does. `python -m tests.lab.mend_cases` runs them on plain moto and prints, as JSON,
how each ended.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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


# --- security groups and interfaces ---------------------------------------------------------------


@case
def an_interface_has_its_own_groups(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    first, second = made.interfaces
    ec2.modify_network_interface_attribute(NetworkInterfaceId=second, Groups=[made.iso])
    assert groups(account, second) == [made.iso]
    assert groups(account, first) == [made.app]
    other = instance(account, one_interface(account, made))
    assert [g["GroupId"] for g in other["SecurityGroups"]] == [made.app]
    only = other["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=only, Groups=[made.iso])
    assert groups(account, only) == [made.iso]
    described = instance(account, other["InstanceId"])
    assert [g["GroupId"] for g in described["SecurityGroups"]] == [made.iso]
    assert [g["GroupId"] for g in described["NetworkInterfaces"][0]["Groups"]] == [made.iso]


@case
def a_group_that_does_not_exist_is_refused(account: Account) -> None:
    made = scene(account)
    with refused("InvalidGroup.NotFound"):
        account.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0], Groups=["sg-0123456789abcdef0"]
        )
    assert groups(account, made.interfaces[0]) == [made.app]


@case
def a_group_of_another_vpc_is_refused(account: Account) -> None:
    made, other = scene(account), scene(account)
    with refused("InvalidGroup.NotFound"):
        account.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0], Groups=[other.iso]
        )


@case
def no_groups_at_all_is_refused(account: Account) -> None:
    made = scene(account)
    with refused("InvalidParameterCombination"):
        account.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0], Groups=[]
        )


@case
def six_groups_are_too_many(account: Account) -> None:
    made = scene(account)
    with refused("SecurityGroupsPerInterfaceLimitExceeded"):
        account.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0], Groups=[made.app, made.db, made.iso] * 2
        )


@case
def two_attributes_in_one_call_are_refused(account: Account) -> None:
    made = scene(account)
    with refused("InvalidParameterCombination"):
        account.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0],
            Groups=[made.iso],
            ConnectionTrackingSpecification={"TcpEstablishedTimeout": 60},
        )


@case
def tracking_timeouts_are_kept_and_described(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    interface = made.interfaces[0]

    def described() -> list[Any]:
        alone = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])
        of_instance = instance(account, made.instance)["NetworkInterfaces"]
        return [
            alone["NetworkInterfaces"][0].get("ConnectionTrackingConfiguration"),
            of_instance[0].get("ConnectionTrackingConfiguration"),
        ]

    assert described() == [None, None]
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface,
        ConnectionTrackingSpecification={"TcpEstablishedTimeout": 60, "UdpTimeout": 30},
    )
    assert described() == [{"TcpEstablishedTimeout": 60, "UdpTimeout": 30}] * 2
    assert groups(account, interface) == [made.app]


@case
def tracking_timeouts_have_limits(account: Account) -> None:
    made = scene(account)
    with refused("InvalidParameterValue"):
        account.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0],
            ConnectionTrackingSpecification={"TcpEstablishedTimeout": 59},
        )


@case
def tracking_timeouts_need_nitro(account: Account) -> None:
    made = scene(account, "t2.micro")
    with refused("InvalidParameterValue"):
        account.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0],
            ConnectionTrackingSpecification={"TcpEstablishedTimeout": 60},
        )


@case
def a_public_address_can_be_taken_from_an_interface(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    run = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[
            {"DeviceIndex": 0, "SubnetId": made.subnet, "AssociatePublicIpAddress": True}
        ],
    )["Instances"][0]
    assert instance(account, run["InstanceId"])["PublicIpAddress"]
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=run["NetworkInterfaces"][0]["NetworkInterfaceId"],
        AssociatePublicIpAddress=False,
    )
    assert "PublicIpAddress" not in instance(account, run["InstanceId"])


@case
def a_group_in_use_is_not_deleted(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    for group in (made.app, made.db):
        with refused("DependencyViolation"):
            ec2.delete_security_group(GroupId=group)
    ec2.delete_security_group(GroupId=made.iso)


@case
def a_group_that_a_rule_names_is_not_deleted(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    ec2.authorize_security_group_ingress(
        GroupId=made.app,
        IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": made.iso}]}],
    )
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=made.iso)


@case
def a_vpc_with_groups_is_not_deleted(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="iso", Description="iso", VpcId=vpc)["GroupId"]
    with refused("DependencyViolation"):
        ec2.delete_vpc(VpcId=vpc)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)


@case
def a_subnet_in_use_is_not_deleted(account: Account) -> None:
    made = scene(account)
    with refused("DependencyViolation"):
        account.client("ec2").delete_subnet(SubnetId=made.subnet)


@case
def a_revocation_without_a_peer_is_refused(account: Account) -> None:
    made = scene(account)
    with refused("InvalidPermission.NotFound"):
        account.client("ec2").revoke_security_group_egress(
            GroupId=made.iso, IpPermissions=[{"IpProtocol": "-1"}]
        )


# --- instances ----------------------------------------------------------------------------------


@case
def groups_of_an_instance_with_two_interfaces_are_refused(account: Account) -> None:
    made = scene(account)
    with refused("InvalidInstanceID"):
        account.client("ec2").modify_instance_attribute(InstanceId=made.instance, Groups=[made.iso])


@case
def groups_of_an_instance_are_replaced(account: Account) -> None:
    made = scene(account)
    only = one_interface(account, made)
    account.client("ec2").modify_instance_attribute(InstanceId=only, Groups=[made.iso])
    described = instance(account, only)["NetworkInterfaces"][0]
    assert [g["GroupId"] for g in described["Groups"]] == [made.iso]
    assert groups(account, described["NetworkInterfaceId"]) == [made.iso]


@case
def the_shutdown_behaviour_is_set(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    ec2.modify_instance_attribute(
        InstanceId=made.instance, InstanceInitiatedShutdownBehavior={"Value": "terminate"}
    )
    answer = ec2.describe_instance_attribute(
        InstanceId=made.instance, Attribute="instanceInitiatedShutdownBehavior"
    )
    assert answer["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"
    assert groups(account, made.interfaces[0]) == [made.app]


@case
def one_attribute_a_call(account: Account) -> None:
    made = scene(account)
    with refused("InvalidParameterCombination"):
        account.client("ec2").modify_instance_attribute(
            InstanceId=made.instance,
            DisableApiTermination={"Value": True},
            DisableApiStop={"Value": True},
        )


@case
def the_type_changes_only_while_stopped(account: Account) -> None:
    made = scene(account)
    with refused("IncorrectInstanceState"):
        account.client("ec2").modify_instance_attribute(
            InstanceId=made.instance, InstanceType={"Value": "m7i.xlarge"}
        )


@case
def protection_from_stopping_holds_from_the_launch_on(account: Account) -> None:
    ec2 = account.client("ec2")
    run = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        DisableApiStop=True,
        DisableApiTermination=True,
    )
    ids = [run["Instances"][0]["InstanceId"]]
    with refused("OperationNotPermitted"):
        ec2.terminate_instances(InstanceIds=ids)
    with refused("OperationNotPermitted"):
        ec2.stop_instances(InstanceIds=ids)
    ec2.modify_instance_attribute(InstanceId=ids[0], DisableApiStop={"Value": False})
    ec2.stop_instances(InstanceIds=ids)
    assert instance(account, ids[0])["State"]["Name"] == "stopped"


@case
def a_terminated_instance_has_no_interfaces(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    ec2.terminate_instances(InstanceIds=[made.instance])
    assert instance(account, made.instance)["NetworkInterfaces"] == []
    with refused("InvalidNetworkInterfaceID.NotFound"):
        ec2.modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0], Groups=[made.iso]
        )
    with refused("IncorrectInstanceState"):
        ec2.modify_instance_attribute(
            InstanceId=made.instance, DisableApiTermination={"Value": True}
        )


@case
def instances_are_found_by_any_address(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    second = ec2.describe_network_interfaces(NetworkInterfaceIds=[made.interfaces[1]])
    address = second["NetworkInterfaces"][0]["PrivateIpAddress"]

    def found(name: str, value: str) -> list[str]:
        answer = ec2.describe_instances(Filters=[{"Name": name, "Values": [value]}])
        return [i["InstanceId"] for r in answer["Reservations"] for i in r["Instances"]]

    assert found("network-interface.addresses.private-ip-address", address) == [made.instance]
    assert found("network-interface.addresses.private-ip-address", "192.0.2.1") == []
    assert found("network-interface.network-interface-id", made.interfaces[1]) == [made.instance]
    assert found("launch-time", "20*") == [made.instance]
    assert found("launch-time", "2001-*") == []


@case
def options_that_a_call_does_not_name_stay(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    ec2.modify_instance_metadata_options(InstanceId=made.instance, HttpTokens="required")
    ec2.modify_instance_metadata_options(InstanceId=made.instance, HttpEndpoint="disabled")
    options = instance(account, made.instance)["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpEndpoint"]) == ("required", "disabled")
    assert options["HttpPutResponseHopLimit"] == 1


@case
def the_console_has_a_screen(account: Account) -> None:
    made = scene(account)
    answer = account.client("ec2").get_console_screenshot(InstanceId=made.instance)
    assert base64.b64decode(answer["ImageData"])[:3] == b"\xff\xd8\xff"


@case
def the_latest_console_output_needs_nitro(account: Account) -> None:
    made, old = scene(account), scene(account, "t2.micro")
    ec2 = account.client("ec2")
    assert (
        "Linux version" in ec2.get_console_output(InstanceId=made.instance, Latest=True)["Output"]
    )
    with refused("UnsupportedOperation"):
        ec2.get_console_output(InstanceId=old.instance, Latest=True)


@case
def a_replaced_profile_shows(account: Account) -> None:
    made = scene(account)
    ec2, iam = account.client("ec2"), account.client("iam")
    profiles = [
        iam.create_instance_profile(InstanceProfileName=n, Path="/app/")["InstanceProfile"]
        for n in ("old", "new")
    ]
    first = ec2.associate_iam_instance_profile(
        InstanceId=made.instance, IamInstanceProfile={"Arn": profiles[0]["Arn"]}
    )["IamInstanceProfileAssociation"]["AssociationId"]
    shown = instance(account, made.instance)["IamInstanceProfile"]
    assert shown == {"Arn": profiles[0]["Arn"], "Id": profiles[0]["InstanceProfileId"]}
    second = ec2.replace_iam_instance_profile_association(
        AssociationId=first, IamInstanceProfile={"Name": "new"}
    )["IamInstanceProfileAssociation"]["AssociationId"]
    shown = instance(account, made.instance)["IamInstanceProfile"]
    assert shown == {"Arn": profiles[1]["Arn"], "Id": profiles[1]["InstanceProfileId"]}
    assert second != first
    ec2.disassociate_iam_instance_profile(AssociationId=second)
    assert "IamInstanceProfile" not in instance(account, made.instance)


# --- regions --------------------------------------------------------------------------------------


@case
def regions_are_those_that_are_enabled(account: Account) -> None:
    ec2 = account.client("ec2")
    names = {r["RegionName"] for r in ec2.describe_regions()["Regions"]}
    assert len(names) == 17
    assert "us-east-1" in names
    every = {r["RegionName"]: r for r in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert names < every.keys()
    assert every["af-south-1"]["OptInStatus"] == "not-opted-in"
    assert "cn-north-1" not in every
    only = ec2.describe_regions(Filters=[{"Name": "region-name", "Values": ["eu-*"]}])["Regions"]
    assert {r["RegionName"][:3] for r in only} == {"eu-"}


@case
def a_region_that_is_not_enabled_refuses(account: Account) -> None:
    with refused("AuthFailure"):
        account.client("ec2", "af-south-1").describe_vpcs()
    with refused("UnrecognizedClientException"):
        account.client("ssm", "af-south-1").describe_parameters()


# --- snapshots ------------------------------------------------------------------------------------


def with_volumes(account: Account, **encryption: Any) -> tuple[str, dict[str, str]]:
    """An instance with a boot volume and two tagged ones; its id, and volumes by device."""
    device = {"VolumeSize": 8, **encryption}
    run = account.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        BlockDeviceMappings=[
            {"DeviceName": name, "Ebs": device} for name in ("/dev/sda1", "/dev/sdf", "/dev/sdg")
        ],
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Owner", "Value": "shop"}]}],
    )["Instances"][0]
    mapped = instance(account, run["InstanceId"])["BlockDeviceMappings"]
    return run["InstanceId"], {m["DeviceName"]: m["Ebs"]["VolumeId"] for m in mapped}


@case
def a_set_of_snapshots_has_states_and_the_tags_of_the_volumes(account: Account) -> None:
    instance_id, volumes = with_volumes(account)
    ec2 = account.client("ec2")
    made = ec2.create_snapshots(
        InstanceSpecification={"InstanceId": instance_id},
        Description="IR",
        CopyTagsFromSource="volume",
        TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "cordon:case", "Value": "IR-7"}]}
        ],
    )["Snapshots"]
    assert {s["VolumeId"] for s in made} == set(volumes.values())
    assert {s["State"] for s in made} == {"pending"}
    shown = ec2.describe_snapshots(SnapshotIds=[s["SnapshotId"] for s in made])["Snapshots"]
    for snapshot in shown:
        tags = {t["Key"]: t["Value"] for t in snapshot["Tags"]}
        assert tags == {"Owner": "shop", "cordon:case": "IR-7"}
        assert (snapshot["State"], snapshot["Description"]) == ("completed", "IR")


@case
def volumes_can_be_left_out_of_a_set(account: Account) -> None:
    instance_id, volumes = with_volumes(account)
    made = account.client("ec2").create_snapshots(
        InstanceSpecification={
            "InstanceId": instance_id,
            "ExcludeBootVolume": True,
            "ExcludeDataVolumeIds": [volumes["/dev/sdg"]],
        }
    )["Snapshots"]
    assert [s["VolumeId"] for s in made] == [volumes["/dev/sdf"]]


def snapshot_of(account: Account, **encryption: Any) -> str:
    ec2 = account.client("ec2")
    volume = ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a", **encryption)["VolumeId"]
    return ec2.create_snapshot(VolumeId=volume, Description="IR")["SnapshotId"]


@case
def snapshots_are_listed_by_owner(account: Account) -> None:
    ec2, own = account.client("ec2"), snapshot_of(account)
    assert [s["SnapshotId"] for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]] == [
        own
    ]
    assert ec2.describe_snapshots(OwnerIds=["111111111111"])["Snapshots"] == []


@case
def an_encrypted_copy_has_the_default_key(account: Account) -> None:
    ec2 = account.client("ec2")
    copy = ec2.copy_snapshot(
        SourceSnapshotId=snapshot_of(account), SourceRegion=REGION, Encrypted=True
    )["SnapshotId"]
    shown = ec2.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]
    assert shown["Encrypted"]
    assert shown["KmsKeyId"].startswith("arn:aws:kms:us-east-1:")


@case
def a_snapshot_has_the_key_of_its_volume(account: Account) -> None:
    ec2 = account.client("ec2")
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    snapshot = snapshot_of(account, Encrypted=True, KmsKeyId=key)
    assert ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["KmsKeyId"] == key
    volume = ec2.create_volume(SnapshotId=snapshot, AvailabilityZone=f"{REGION}a")
    assert volume["KmsKeyId"] == key


@case
def volumes_are_encrypted_by_default_with_the_region_s_key(account: Account) -> None:
    ec2 = account.client("ec2")
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    ec2.enable_ebs_encryption_by_default()
    volume = ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a")
    assert (volume["Encrypted"], volume["KmsKeyId"]) == (True, key)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key
    assert ec2.reset_ebs_default_kms_key_id()["KmsKeyId"] != key


@case
def a_snapshot_is_shared_by_permission(account: Account) -> None:
    ec2, snapshot = account.client("ec2"), snapshot_of(account)

    def shared() -> list[Any]:
        answer = ec2.describe_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission"
        )
        return answer["CreateVolumePermissions"]

    permission = {"Add": [{"UserId": "444455556666"}]}
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission=permission)
    assert shared() == [{"UserId": "444455556666"}]
    permission = {"Remove": [{"UserId": "444455556666"}]}
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission=permission)
    assert shared() == []


@case
def a_snapshot_under_the_managed_key_is_not_shared(account: Account) -> None:
    snapshot = snapshot_of(account, Encrypted=True)
    with refused("OperationNotPermitted"):
        account.client("ec2").modify_snapshot_attribute(
            SnapshotId=snapshot,
            Attribute="createVolumePermission",
            OperationType="add",
            UserIds=["444455556666"],
        )


@case
def a_shared_snapshot_is_seen_by_the_other_account(account: Account) -> None:
    snapshot = snapshot_of(account)
    keys = account.client("sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/forensics", RoleSessionName="lab"
    )["Credentials"]
    other = account.client(
        "ec2",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    with refused("InvalidSnapshot.NotFound"):
        other.describe_snapshots(SnapshotIds=[snapshot])
    account.client("ec2").modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=["444455556666"],
    )
    assert other.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Description"] == "IR"
    copy = other.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion=REGION)["SnapshotId"]
    assert other.describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["SnapshotId"] == copy


@case
def a_locked_snapshot_is_not_deleted(account: Account) -> None:
    ec2, snapshot = account.client("ec2"), snapshot_of(account)
    answer = ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=30)
    assert answer["LockState"] == "governance"
    assert answer["LockExpiresOn"] - answer["LockCreatedOn"] == timedelta(days=30)
    listed = ec2.describe_locked_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert [(s["SnapshotId"], s["LockState"]) for s in listed] == [(snapshot, "governance")]
    with refused("SnapshotLocked"):
        ec2.delete_snapshot(SnapshotId=snapshot)
    ec2.unlock_snapshot(SnapshotId=snapshot)
    assert ec2.describe_locked_snapshots()["Snapshots"] == []
    ec2.delete_snapshot(SnapshotId=snapshot)


@case
def compliance_is_final_when_it_has_cooled_off(account: Account) -> None:
    ec2, cooling, final = account.client("ec2"), snapshot_of(account), snapshot_of(account)
    lock = {"LockMode": "compliance", "LockDuration": 30}
    assert ec2.lock_snapshot(SnapshotId=final, **lock)["LockState"] == "compliance"
    answer = ec2.lock_snapshot(SnapshotId=cooling, CoolOffPeriod=1, **lock)
    assert answer["LockState"] == "compliance-cooloff"
    ec2.unlock_snapshot(SnapshotId=cooling)
    with refused("OperationNotPermitted"):
        ec2.unlock_snapshot(SnapshotId=final)
    with refused("OperationNotPermitted"):
        ec2.lock_snapshot(SnapshotId=final, LockMode="compliance", LockDuration=1)
    ec2.lock_snapshot(SnapshotId=final, LockMode="compliance", LockDuration=60)


# --- keys, buckets, identities --------------------------------------------------------------------


@case
def a_key_is_known_by_its_arn_and_does_nothing_while_disabled(account: Account) -> None:
    kms = account.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.enable_key(KeyId=key)
    kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refused("KMSInvalidStateException"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    kms.cancel_key_deletion(KeyId=key)


def bucket(account: Account, *, lock: bool = False) -> str:
    account.client("s3").create_bucket(Bucket="evidence", ObjectLockEnabledForBucket=lock)
    return "evidence"


@case
def conditions_of_a_bucket_policy_count(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account)

    def deny(action: str, condition: dict[str, Any]) -> dict[str, Any]:
        return {
            "Effect": "Deny",
            "Principal": "*",
            "Action": action,
            "Resource": f"arn:aws:s3:::{name}/*",
            "Condition": condition,
        }

    policy = [
        deny("s3:*", {"Bool": {"aws:SecureTransport": "false"}}),
        deny(
            "s3:PutObject",
            {
                "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
                "Null": {"s3:x-amz-server-side-encryption": "false"},
            },
        ),
        deny("s3:DeleteObject*", {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/x"}}),
    ]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": policy}))
    s3.put_object(Bucket=name, Key="a", Body=b"x")
    s3.put_object(Bucket=name, Key="b", Body=b"x", ServerSideEncryption="aws:kms")
    assert s3.get_object(Bucket=name, Key="a")["Body"].read() == b"x"
    with refused("AccessDenied"):
        s3.put_object(Bucket=name, Key="c", Body=b"x", ServerSideEncryption="AES256")
    with refused("AccessDenied"):
        s3.delete_object(Bucket=name, Key="a")
    with refused("AccessDenied"):
        s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "a"}]})


@case
def a_wrong_checksum_is_refused(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account)
    right = base64.b64encode(hashlib.sha256(b"evidence").digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    s3.put_object(Bucket=name, Key="a", Body=b"evidence", ChecksumSHA256=right)
    with refused("BadDigest"):
        s3.put_object(Bucket=name, Key="b", Body=b"evidence", ChecksumSHA256=wrong)
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 1


@case
def a_locked_bucket_takes_any_checksum(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account, lock=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    digest = base64.b64encode(hashlib.sha256(b"evidence").digest()).decode()
    s3.put_object(Bucket=name, Key="a", Body=b"evidence", ChecksumSHA256=digest)
    head = s3.head_object(Bucket=name, Key="a")
    assert head["ObjectLockMode"] == "GOVERNANCE"
    shown = s3.head_object(Bucket=name, Key="a", ChecksumMode="ENABLED")
    assert shown["ChecksumSHA256"] == digest


@case
def access_logs_are_let_in_beside_other_statements(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account)
    s3.create_bucket(Bucket="logs-example")
    statements = [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::logs-example/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs-example/vault/*",
        },
    ]
    s3.put_bucket_policy(Bucket="logs-example", Policy=json.dumps({"Statement": statements}))
    target = {"TargetBucket": "logs-example", "TargetPrefix": "vault/"}
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": target})
    assert s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetPrefix"] == "vault/"


@case
def retention_is_told_and_compliance_not_shortened(account: Account) -> None:
    s3, name = account.client("s3"), bucket(account, lock=True)
    until = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    version = s3.put_object(
        Bucket=name,
        Key="a",
        Body=b"x",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=until,
    )["VersionId"]
    told = s3.get_object_retention(Bucket=name, Key="a", VersionId=version)["Retention"]
    assert told == {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    sooner = {"Mode": "COMPLIANCE", "RetainUntilDate": until - timedelta(days=1)}
    with refused("AccessDenied"):
        s3.put_object_retention(Bucket=name, Key="a", VersionId=version, Retention=sooner)
    later = {"Mode": "COMPLIANCE", "RetainUntilDate": until + timedelta(days=1)}
    s3.put_object_retention(Bucket=name, Key="a", VersionId=version, Retention=later)
    told = s3.get_object_retention(Bucket=name, Key="a", VersionId=version)["Retention"]
    assert told["RetainUntilDate"] == later["RetainUntilDate"]


def user_keys(account: Account, name: str = "alice") -> dict[str, str]:
    iam = account.client("iam")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
    }


@case
def an_inactive_key_is_refused_and_a_deleted_one_too(account: Account) -> None:
    iam, keys = account.client("iam"), user_keys(account)
    key = {"UserName": "alice", "AccessKeyId": keys["aws_access_key_id"]}
    sts, ec2 = account.client("sts", **keys), account.client("ec2", **keys)
    assert sts.get_caller_identity()["Arn"].endswith(":user/alice")
    iam.update_access_key(**key, Status="Inactive")
    with refused("InvalidClientTokenId"):
        sts.get_caller_identity()
    with refused("AuthFailure"):
        ec2.describe_vpcs()
    iam.update_access_key(**key, Status="Active")
    ec2.describe_vpcs()
    iam.delete_access_key(**key)
    with refused("InvalidClientTokenId"):
        sts.get_caller_identity()


@case
def minted_credentials_are_new_and_outlive_the_key(account: Account) -> None:
    keys = user_keys(account)
    sts = account.client("sts", **keys)
    minted = [
        sts.get_session_token()["Credentials"],
        sts.get_session_token()["Credentials"],
        sts.get_federation_token(Name="guest")["Credentials"],
    ]
    assert len({m["AccessKeyId"] for m in minted}) == 3
    assert {m["AccessKeyId"][:4] for m in minted} == {"ASIA"}
    account.client("iam").update_access_key(
        UserName="alice", AccessKeyId=keys["aws_access_key_id"], Status="Inactive"
    )
    for m in minted:
        account.client(
            "ec2",
            aws_access_key_id=m["AccessKeyId"],
            aws_secret_access_key=m["SecretAccessKey"],
            aws_session_token=m["SessionToken"],
        ).describe_vpcs()


def session(account: Account, service: str, minted: dict[str, Any]) -> Any:
    return account.client(
        service,
        aws_access_key_id=minted["AccessKeyId"],
        aws_secret_access_key=minted["SecretAccessKey"],
        aws_session_token=minted["SessionToken"],
    )


def older_than(moment: datetime, **more: Any) -> str:
    condition = {"DateLessThan": {"aws:TokenIssueTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}, **more}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [deny]})


@case
def sessions_of_a_user_can_be_revoked_and_the_key_goes_on(account: Account) -> None:
    keys = user_keys(account)
    sts = account.client("sts", **keys)
    minted = sts.get_session_token()["Credentials"]
    federated = sts.get_federation_token(Name="guest")["Credentials"]
    account.client("iam").put_user_policy(
        UserName="alice",
        PolicyName="revoked",
        PolicyDocument=older_than(datetime.now(UTC) + timedelta(seconds=30)),
    )
    for credentials in (minted, federated):
        with refused("UnauthorizedOperation"):
            session(account, "ec2", credentials).describe_vpcs()
    account.client("ec2", **keys).describe_vpcs()
    account.client("iam").delete_user_policy(UserName="alice", PolicyName="revoked")
    session(account, "ec2", minted).describe_vpcs()


@case
def sessions_of_one_instance_can_be_revoked_alone(account: Account) -> None:
    iam, sts = account.client("iam"), account.client("sts")
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument="{}")["Role"]
    one, other = (
        sts.assume_role(RoleArn=role["Arn"], RoleSessionName=name)["Credentials"]
        for name in ("i-0123456789abcdef0", "i-0fedcba9876543210")
    )
    soon = datetime.now(UTC) + timedelta(seconds=30)
    only = {"StringLike": {"aws:userid": f"{role['RoleId']}:i-0123456789abcdef0*"}}
    iam.put_role_policy(
        RoleName="app", PolicyName="revoked", PolicyDocument=older_than(soon, **only)
    )
    with refused("UnauthorizedOperation"):
        session(account, "ec2", one).describe_vpcs()
    session(account, "ec2", other).describe_vpcs()


@case
def everything_can_be_denied_to_a_user(account: Account) -> None:
    keys = user_keys(account)
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    account.client("iam").put_user_policy(
        UserName="alice",
        PolicyName="none",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    with refused("AccessDenied"):
        account.client("iam", **keys).list_users()
    account.client("sts", **keys).get_caller_identity()


@case
def a_session_says_who_it_is(account: Account) -> None:
    sts = account.client("sts", **user_keys(account))

    def arn(minted: dict[str, Any]) -> str:
        return account.client(
            "sts",
            aws_access_key_id=minted["AccessKeyId"],
            aws_secret_access_key=minted["SecretAccessKey"],
            aws_session_token=minted["SessionToken"],
        ).get_caller_identity()["Arn"]

    assert arn(sts.get_session_token()["Credentials"]).endswith(":user/alice")
    federated = arn(sts.get_federation_token(Name="guest")["Credentials"])
    assert federated.endswith(":federated-user/guest")


@case
def long_lists_come_in_pages(account: Account) -> None:
    iam, ec2 = account.client("iam"), account.client("ec2")
    for n in range(101):
        iam.create_user(UserName=f"user-{n:03}")
    first = iam.list_users()
    assert (len(first["Users"]), first["IsTruncated"]) == (100, True)
    second = iam.list_users(Marker=first["Marker"])
    assert [u["UserName"] for u in second["Users"]] == ["user-100"]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for n in range(6):
        ec2.create_security_group(GroupName=f"g{n}", Description="d", VpcId=vpc)
    pages = ec2.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 5})
    assert [len(p["SecurityGroups"]) for p in pages] == [5, 3]


@case
def iam_does_not_tell_who_owns_a_foreign_key(account: Account) -> None:
    iam, sts, keys = account.client("iam"), account.client("sts"), user_keys(account)
    owned = keys["aws_access_key_id"]
    assert iam.get_access_key_last_used(AccessKeyId=owned)["UserName"] == "alice"
    with refused("AccessDenied"):
        iam.get_access_key_last_used(AccessKeyId="AKIAIOSFODNN7EXAMPLE")
    iam.delete_access_key(UserName="alice", AccessKeyId=owned)
    assert sts.get_access_key_info(AccessKeyId=owned)["Account"] == "123456789012"
    assert sts.get_access_key_info(AccessKeyId="AKIA2OGYBAH6QEXAMPLE")["Account"] != "123456789012"


@case
def inline_policies_have_a_limit(account: Account) -> None:
    iam = account.client("iam")
    iam.create_user(UserName="alice")

    def document(characters: int) -> str:
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/"}
        statement["Resource"] += "x" * characters
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    iam.put_user_policy(UserName="alice", PolicyName="one", PolicyDocument=document(1_700))
    with refused("LimitExceeded"):
        iam.put_user_policy(UserName="alice", PolicyName="two", PolicyDocument=document(300))
    iam.put_user_policy(UserName="alice", PolicyName="one", PolicyDocument=document(1_800))
    for n in range(11):
        arn = iam.create_policy(PolicyName=f"p{n}", PolicyDocument=document(1))["Policy"]["Arn"]
        if n < 10:
            iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    with refused("LimitExceeded"):
        iam.attach_user_policy(UserName="alice", PolicyArn=arn)


@case
def users_have_service_specific_credentials(account: Account) -> None:
    iam = account.client("iam")
    iam.create_user(UserName="alice")
    who = {"UserName": "alice"}
    made = iam.create_service_specific_credential(ServiceName="codecommit.amazonaws.com", **who)
    credential = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    iam.update_service_specific_credential(
        ServiceSpecificCredentialId=credential, Status="Inactive", **who
    )
    found = iam.list_service_specific_credentials(**who)["ServiceSpecificCredentials"]
    assert [(c["ServiceSpecificCredentialId"], c["Status"]) for c in found] == [
        (credential, "Inactive")
    ]
    iam.delete_service_specific_credential(ServiceSpecificCredentialId=credential, **who)
    assert iam.list_service_specific_credentials(**who)["ServiceSpecificCredentials"] == []


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


@case
def an_instance_with_a_profile_and_an_endpoint_is_managed(account: Account) -> None:
    ec2, ssm = account.client("ec2"), account.client("ssm")
    without = scene(account).instance
    instance = managed(account)
    wanted = [{"Key": "InstanceIds", "Values": [instance, without]}]

    def pings() -> dict[str, str]:
        found = ssm.describe_instance_information(Filters=wanted)["InstanceInformationList"]
        return {i["InstanceId"]: i["PingStatus"] for i in found}

    assert pings() == {instance: "Online"}
    assert ssm.list_inventory_entries(InstanceId=instance, TypeName="AWS:Application")["Entries"]
    with refused("InvalidInstanceId"):
        ssm.list_inventory_entries(InstanceId=without, TypeName="AWS:Application")
    ec2.stop_instances(InstanceIds=[instance])
    assert pings() == {instance: "ConnectionLost"}


@case
def a_command_runs_a_pinned_document_on_managed_instances(account: Account) -> None:
    ssm = account.client("ssm")
    instance, stranger = managed(account), scene(account).instance
    pin = ssm.describe_document(Name="cordon-host-firewall")["Document"]["Hash"]
    good = {
        "DocumentName": "cordon-host-firewall",
        "DocumentHash": pin,
        "DocumentHashType": "Sha256",
        "InstanceIds": [instance],
        "Parameters": {"Mode": ["apply"]},
    }
    with refused("InvalidDocument"):
        ssm.send_command(**{**good, "DocumentName": "unknown"})
    with refused("InvalidDocument"):
        ssm.send_command(**{**good, "DocumentHash": "0" * 64})
    with refused("InvalidParameters"):
        ssm.send_command(**{**good, "Parameters": {"Mode": ["apply; id"]}})
    with refused("InvalidInstanceId"):
        ssm.send_command(**{**good, "InstanceIds": [stranger]})
    command = ssm.send_command(**good, Comment="example")["Command"]["CommandId"]
    (listed,) = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
    assert (listed["Status"], listed["StatusDetails"]) == ("Success", "Success")
    ended = ssm.get_command_invocation(CommandId=command, InstanceId=instance, PluginName="linux")
    assert json.loads(ended["StandardOutputContent"])["code"] == 0
    (sent,) = ssm.list_commands(InstanceId=instance)["Commands"]
    assert sent["Parameters"] == {"Mode": ["apply"]}
    assert sent["Comment"] == "example"


@case
def a_command_that_no_agent_takes_times_out(account: Account) -> None:
    ec2, ssm = account.client("ec2"), account.client("ssm")
    instance = managed(account)
    interfaces = ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
    )["NetworkInterfaces"]
    closed = ec2.create_security_group(
        GroupName="closed", Description="closed", VpcId=interfaces[0]["VpcId"]
    )["GroupId"]
    group = ec2.describe_security_groups(GroupIds=[closed])["SecurityGroups"][0]
    ec2.revoke_security_group_egress(GroupId=closed, IpPermissions=group["IpPermissionsEgress"])
    for interface in interfaces:
        ec2.modify_network_interface_attribute(
            NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=[closed]
        )
    command = ssm.send_command(
        DocumentName="cordon-host-firewall",
        InstanceIds=[instance],
        Parameters={"Mode": ["apply"]},
    )["Command"]["CommandId"]
    (listed,) = ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
    assert (listed["Status"], listed["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    with refused("InvocationDoesNotExist"):
        ssm.get_command_invocation(CommandId=command, InstanceId=instance)


@case
def support_cases_are_the_same_at_every_endpoint_and_stay_as_they_are(account: Account) -> None:
    east, west = account.client("support"), account.client("support", "us-west-2")
    services = {s["code"]: s["categories"] for s in east.describe_services()["services"]}
    assert services["customer-account"]
    levels = [s["code"] for s in east.describe_severity_levels()["severityLevels"]]
    assert levels == ["low", "normal", "high", "urgent", "critical"]
    text = {"subject": "s", "communicationBody": "b", "serviceCode": "customer-account"}
    asked = {**text, "categoryCode": "other-account-issues"}
    made = east.create_case(**asked, severityCode="urgent")["caseId"]
    with refused("ValidationException"):
        east.create_case(**asked, severityCode="extreme")
    for client in (west, east):
        [found] = client.describe_cases()["cases"]
        assert (found["caseId"], found["severityCode"]) == (made, "urgent")
        assert found["recentCommunications"]["communications"][0]["body"] == "b"
    east.resolve_case(caseId=made)
    assert west.describe_cases()["cases"] == []
    assert [c["status"] for c in west.describe_cases(includeResolvedCases=True)["cases"]] == [
        "resolved"
    ]


@case
def only_what_was_configured_hibernates_and_says_so(account: Account) -> None:
    ec2 = account.client("ec2")
    kind = {"ImageId": "ami-12345678", "InstanceType": "m7i.large", "MinCount": 1, "MaxCount": 1}
    able, unable = (
        ec2.run_instances(**kind, HibernationOptions={"Configured": configured})["Instances"][0][
            "InstanceId"
        ]
        for configured in (True, False)
    )
    with refused("UnsupportedHibernationConfiguration"):
        ec2.stop_instances(InstanceIds=[unable], Hibernate=True)
    ec2.stop_instances(InstanceIds=[able], Hibernate=True)
    found = ec2.describe_instances(InstanceIds=[able])["Reservations"][0]["Instances"][0]
    assert found["HibernationOptions"] == {"Configured": True}
    assert found["StateReason"]["Code"] == "Client.UserInitiatedHibernate"
    assert found["State"]["Name"] == "stopped"


@case
def services_that_nobody_uses_answer(account: Account) -> None:
    lightsail = account.client("lightsail")
    assert lightsail.get_instances()["instances"] == []
    with pytest.raises(ClientError, match="NotFoundException"):
        lightsail.get_instance(instanceName="gone")
    cloudformation = account.client("cloudformation")
    assert cloudformation.describe_stacks()["Stacks"] == []
    with pytest.raises(ClientError, match="Stack with id gone does not exist"):
        cloudformation.describe_stacks(StackName="gone")


@case
def a_query_of_lake_finds_what_the_trail_recorded(account: Account) -> None:
    for number in range(3):
        account.client("iam").create_user(UserName=f"lake-{number}")
    cloudtrail = account.client("cloudtrail")
    sql = "SELECT eventJson FROM store WHERE eventName = 'CreateUser'"
    query = cloudtrail.start_query(QueryStatement=sql)["QueryId"]
    assert cloudtrail.describe_query(QueryId=query)["QueryStatus"] == "FINISHED"
    first = cloudtrail.get_query_results(QueryId=query, MaxQueryResults=2)
    rest = cloudtrail.get_query_results(QueryId=query, NextToken=first["NextToken"])
    assert "NextToken" not in rest
    rows = [*first["QueryResultRows"], *rest["QueryResultRows"]]
    names = [json.loads(row[0]["eventJson"])["requestParameters"]["userName"] for row in rows]
    assert names == ["lake-0", "lake-1", "lake-2"]
    with pytest.raises(ClientError, match="QueryIdNotFound"):
        cloudtrail.get_query_results(QueryId="00000000-0000-0000-0000-000000000000")


@case
def the_same_token_is_carried_out_once(account: Account) -> None:
    ec2 = account.client("ec2")
    wanted = {"AvailabilityZone": f"{REGION}a", "Size": 1, "ClientToken": "example"}
    first, second = (ec2.create_volume(**wanted)["VolumeId"] for _ in range(2))
    assert first == second
    assert len(ec2.describe_volumes()["Volumes"]) == 1
    with refused("IdempotentParameterMismatch"):
        ec2.create_volume(**{**wanted, "Size": 2})


def main() -> None:
    """Runs every case on plain moto; prints how each ended, `ok` or the error."""
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "example"
    from moto.core.base_backend import BackendDict
    from moto.core.models import botocore_stubber

    botocore_stubber.enabled = True
    ended = {}
    for name, function in CASES.items():
        BackendDict.reset()
        try:
            function(Account())
            ended[name] = "ok"
        except (Exception, pytest.fail.Exception) as error:
            ended[name] = f"{type(error).__name__}: {error}"
    json.dump(ended, sys.stdout)


if __name__ == "__main__":
    main()
