"""Cases of `lab.mends.fleet_sizes`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused, scene


@case
def an_auto_scaling_group_keeps_to_its_sizes(account: Account) -> None:
    """The only member of a group of at least one can't leave, and what is no standby can't end."""
    fleet = account.client("autoscaling")
    fleet.create_launch_configuration(
        LaunchConfigurationName="shop", ImageId="ami-12345678", InstanceType="m7i.large"
    )
    fleet.create_auto_scaling_group(
        AutoScalingGroupName="shop",
        LaunchConfigurationName="shop",
        MinSize=1,
        MaxSize=1,
        DesiredCapacity=1,
        VPCZoneIdentifier=scene(account).subnet,
    )
    group = fleet.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    member = {
        "AutoScalingGroupName": "shop",
        "InstanceIds": [group["Instances"][0]["InstanceId"]],
    }
    for leave in (fleet.enter_standby, fleet.detach_instances):
        with refused("ValidationError"):
            leave(**member, ShouldDecrementDesiredCapacity=True)
    with refused("ValidationError"):
        fleet.exit_standby(**member)
