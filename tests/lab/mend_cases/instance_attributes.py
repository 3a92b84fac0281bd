"""Cases of `lab.mends.instance_attributes`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, groups, refused, scene


@case
def groups_of_an_instance_with_two_interfaces_are_refused(account: Account) -> None:
    made = scene(account)
    with refused("InvalidInstanceID"):
        account.client("ec2").modify_instance_attribute(InstanceId=made.instance, Groups=[made.iso])


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
