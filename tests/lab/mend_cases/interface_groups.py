"""Cases of `lab.mends.interface_groups`: what AWS does and plain moto does not."""

from __future__ import annotations

from typing import Any

from tests.lab.mend_cases.account import (
    Account,
    case,
    groups,
    instance,
    one_interface,
    refused,
    scene,
)


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
def groups_of_an_instance_are_replaced(account: Account) -> None:
    made = scene(account)
    only = one_interface(account, made)
    account.client("ec2").modify_instance_attribute(InstanceId=only, Groups=[made.iso])
    described = instance(account, only)["NetworkInterfaces"][0]
    assert [g["GroupId"] for g in described["Groups"]] == [made.iso]
    assert groups(account, described["NetworkInterfaceId"]) == [made.iso]
