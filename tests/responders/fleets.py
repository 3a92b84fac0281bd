"""An Auto Scaling group around the scenario's instance."""

from __future__ import annotations

from typing import Any

from tests.responders.conftest import Scenario

GROUP = "web fleet"


def make_fleet(scenario: Scenario, *, low: int, high: int) -> None:
    """A group whose one member is the scenario's instance."""
    client = scenario.client("autoscaling")
    client.create_launch_configuration(
        LaunchConfigurationName="web", ImageId="ami-12345678", InstanceType="t3.micro"
    )
    subnet = scenario.client("ec2").describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [scenario.vpc]}]
    )["Subnets"][0]
    client.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchConfigurationName="web",
        MinSize=0,
        MaxSize=high,
        DesiredCapacity=0,
        VPCZoneIdentifier=subnet["SubnetId"],
    )
    client.attach_instances(AutoScalingGroupName=GROUP, InstanceIds=[scenario.instance])
    client.update_auto_scaling_group(AutoScalingGroupName=GROUP, MinSize=low)


def fleet(scenario: Scenario) -> dict[str, Any]:
    """The state of the instance, how many others there are, and the sizes."""
    group = scenario.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[GROUP]
    )["AutoScalingGroups"][0]
    states = {i["InstanceId"]: i["LifecycleState"] for i in group["Instances"]}
    return {
        "state": states.pop(scenario.instance, None),
        "others": len(states),
        "sizes": (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]),
    }
