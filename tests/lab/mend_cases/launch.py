"""Cases of `lab.mends.launch`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, instance, refused


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
