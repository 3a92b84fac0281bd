"""Cases of `lab.mends.terminate`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, instance, refused, scene


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
