"""Cases of `lab.mends.snapshots`: what AWS does and plain moto does not."""

from __future__ import annotations

from typing import Any

from tests.lab.mend_cases.account import REGION, Account, case, instance, refused, snapshot_of


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
