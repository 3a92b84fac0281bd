"""Cases of `lab.mends.managed_instances`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, managed, refused, scene


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
