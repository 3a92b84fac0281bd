"""Load balancers that send traffic to the scenario's instance."""

from __future__ import annotations

from typing import Any

from tests.responders.conftest import Scenario


class Balancers:
    """A target group by instance, one by address, and a classic load balancer."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.v2, self.classic = scenario.client("elbv2"), scenario.client("elb")
        self.by_id = self._group("by-id", "instance")
        self.by_address = self._group("by-address", "ip")
        self.other = self._group("other", "instance")
        interfaces = scenario.client("ec2").describe_network_interfaces(
            NetworkInterfaceIds=[scenario.enis[1]]
        )["NetworkInterfaces"]
        self.address = str(interfaces[0]["PrivateIpAddress"])
        mine = [{"Id": scenario.instance, "Port": 80}]
        self.v2.register_targets(TargetGroupArn=self.by_id, Targets=mine)
        self.v2.register_targets(
            TargetGroupArn=self.by_address, Targets=[{"Id": self.address, "Port": 8080}]
        )
        self.classic.create_load_balancer(
            LoadBalancerName="old",
            Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
            AvailabilityZones=[f"{scenario.region}a"],
        )
        self.classic.register_instances_with_load_balancer(
            LoadBalancerName="old", Instances=[{"InstanceId": scenario.instance}]
        )

    def _group(self, name: str, kind: str) -> str:
        made = self.v2.create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=self.scenario.vpc, TargetType=kind
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def registered(self) -> dict[str, Any]:
        """Target group or classic load balancer to what is registered there."""
        found: dict[str, Any] = {}
        for group in (self.by_id, self.by_address, self.other):
            health = self.v2.describe_target_health(TargetGroupArn=group)
            found[group] = [
                (d["Target"]["Id"], d["Target"]["Port"]) for d in health["TargetHealthDescriptions"]
            ]
        old = self.classic.describe_load_balancers()["LoadBalancerDescriptions"][0]
        found["old"] = [i["InstanceId"] for i in old["Instances"]]
        return found
