"""What AWS does and plain moto does not: one function per mend, run with and without the mends.

Each takes an `Account` and raises (an assertion, or whatever moto raises) unless the account
behaves as AWS does. `python -m tests.lab.mend_cases` runs them on plain moto and prints, as JSON,
how each ended.
"""

from __future__ import annotations

import json
import os
import sys
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
    with refused("UnsupportedOperation"):
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
