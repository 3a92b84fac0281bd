"""Cases of `lab.mends.instance_filters`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, scene


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
