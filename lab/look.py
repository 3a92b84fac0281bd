"""Looks at a workload through the API, with plain boto3: what AWS says, not what anybody did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from contract import TAG_PURPOSE, Purpose, Rules, group_rules, permission_rules
from lab.staging import Workload

Clients = Callable[[str, str], Any]


@dataclass(frozen=True)
class View:
    """What the API says of a workload now. Compares equal when nothing that matters differs."""

    state: str
    groups: tuple[tuple[str, ...], ...]
    """Groups of each interface, in the order of the devices."""
    public_ip: str
    profile: str
    protected: bool
    """From termination."""
    fleet: str
    """Its state in the Auto Scaling group; empty when it is in none."""
    balanced: bool
    """Whether its target group sends it traffic."""
    tags: Mapping[str, str] = field(default_factory=dict)


def look(clients: Clients, workload: Workload) -> View:
    """Reads it all."""
    ec2 = clients("ec2", workload.network.region)
    answer = ec2.describe_instances(InstanceIds=[workload.instance])
    instance = answer["Reservations"][0]["Instances"][0]
    protection = ec2.describe_instance_attribute(
        InstanceId=workload.instance, Attribute="disableApiTermination"
    )
    return View(
        state=instance["State"]["Name"],
        groups=_groups(ec2, workload.instance),
        public_ip=instance.get("PublicIpAddress", ""),
        profile=instance.get("IamInstanceProfile", {}).get("Arn", ""),
        protected=protection["DisableApiTermination"]["Value"],
        fleet=_fleet(clients, workload),
        balanced=_balanced(clients, workload),
        tags={t["Key"]: t["Value"] for t in instance.get("Tags", [])},
    )


def rules(clients: Clients, region: str, group: str) -> Rules:
    """All rules of a group."""
    [described] = clients("ec2", region).describe_security_groups(GroupIds=[group])[
        "SecurityGroups"
    ]
    return Rules(
        permission_rules(described["IpPermissions"]),
        permission_rules(described["IpPermissionsEgress"]),
    )


def prepared_group(clients: Clients, region: str, vpc: str, purpose: Purpose) -> str:
    """The id of the VPC's prepared group; empty unless there is one, with exactly its rules."""
    filters = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": f"tag:{TAG_PURPOSE}", "Values": [purpose.value]},
    ]
    groups = clients("ec2", region).describe_security_groups(Filters=filters)["SecurityGroups"]
    ids = [str(g["GroupId"]) for g in groups]
    exact = [g for g in ids if rules(clients, region, g) == group_rules(purpose)]
    return exact[0] if exact and len(groups) == 1 else ""


def _groups(ec2: Any, instance: str) -> tuple[tuple[str, ...], ...]:
    filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
    interfaces = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    order = sorted(interfaces, key=lambda nic: nic["Attachment"]["DeviceIndex"])
    return tuple(tuple(sorted(g["GroupId"] for g in nic["Groups"])) for nic in order)


def _fleet(clients: Clients, workload: Workload) -> str:
    scaling = clients("autoscaling", workload.network.region)
    members = scaling.describe_auto_scaling_instances(InstanceIds=[workload.instance])
    return next((str(i["LifecycleState"]) for i in members["AutoScalingInstances"]), "")


def _balanced(clients: Clients, workload: Workload) -> bool:
    if not workload.target_group:
        return False
    balancers = clients("elbv2", workload.network.region)
    try:
        health = balancers.describe_target_health(
            TargetGroupArn=workload.target_group, Targets=[{"Id": workload.instance}]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("InvalidTarget", "InvalidTargetException"):
            return False
        raise
    states = [t["TargetHealth"]["State"] for t in health["TargetHealthDescriptions"]]
    return any(state not in ("unused", "draining") for state in states)
