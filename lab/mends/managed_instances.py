"""Instances whose agent talks to Systems Manager, and what it told of their software.

Moto has neither DescribeInstanceInformation nor the inventory. (Systems Manager API; user guide,
"Setting up": an instance needs the agent, a profile that lets it call, and a way to the service.)
An instance has an agent when `set_agent` gave it one, or when it has a profile and its VPC has an
interface endpoint of Systems Manager. It answers while it runs and its groups let HTTPS out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends

from lab.backends import regional, shelf
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.identity import now


@dataclass(frozen=True)
class Agent:
    """An agent; `platform` is `Linux`, `Windows` or `MacOS`, `ping` a state to stay in if given."""

    platform: str = "Linux"
    ping: str = ""


def mend() -> None:
    """Answers both."""
    answer("ssm", "DescribeInstanceInformation")(_information)
    answer("ssm", "ListInventoryEntries")(_inventory)


def set_agent(
    account: str, region: str, instance_id: str, platform: str = "Linux", ping: str = ""
) -> None:
    """Gives an instance an agent. Without `ping` it answers whenever the instance can."""
    _agents(ec2_backends[account][region])[instance_id] = Agent(platform, ping)


def agent_of(ec2: Any, instance: Any) -> Agent | None:
    """The agent of an instance of an EC2 backend, None where there is none."""
    agent = _agents(ec2).get(instance.id)
    if agent is not None:
        return agent
    vpcs = {nic.vpc_id for nic in instance.nics.values()}
    endpoints = [
        e
        for e in ec2.vpc_end_points.values()
        if e.vpc_id in vpcs and e.service_name.endswith(".ssm") and e.state == "available"
    ]
    return Agent() if instance.iam_instance_profile and endpoints else None


def ping_of(agent: Agent, instance: Any) -> str:
    """`Online`, or `ConnectionLost` while the instance is off or cut off."""
    if agent.ping:
        return agent.ping
    reaches = instance.state == "running" and any(
        _lets_https(rule)
        for nic in instance.nics.values()
        for group in nic.group_set
        for rule in group.egress_rules
    )
    return "Online" if reaches else "ConnectionLost"


def instance_of(ec2: Any, instance_id: str) -> Any:
    """The instance of that id; None where there is none."""
    instances = (i for r in ec2.reservations.values() for i in r.instances if i.id == instance_id)
    return next(instances, None)


def _agents(ec2: Any) -> dict[str, Agent]:
    return shelf(ec2, "agents", dict[str, Agent])


def _lets_https(rule: Any) -> bool:
    if str(rule.ip_protocol) == "-1":
        return True
    return str(rule.ip_protocol) == "tcp" and int(rule.from_port) <= 443 <= int(rule.to_port)


_FILTERS: dict[str, Callable[[Any, Agent], str]] = {
    "InstanceIds": lambda instance, agent: instance.id,
    "PingStatus": lambda instance, agent: ping_of(agent, instance),
    "PlatformTypes": lambda instance, agent: agent.platform,
}


def _information(call: Call) -> dict[str, Any]:
    ec2 = regional(call, "ec2")
    filters = [(f["Key"], f["Values"]) for f in call.params.get("Filters", [])]
    filters += [
        (f["key"], f["valueSet"]) for f in call.params.get("InstanceInformationFilterList", [])
    ]
    if unknown := {key for key, _ in filters} - set(_FILTERS):
        raise AwsError("InvalidFilterKey", f"The specified key is not valid: {sorted(unknown)}")
    everything = [i for r in ec2.reservations.values() for i in r.instances]
    agents = [
        (instance, agent)
        for instance in everything
        if (agent := agent_of(ec2, instance)) is not None and instance.state != "terminated"
    ]
    return {
        "InstanceInformationList": [
            {
                "InstanceId": instance.id,
                "PingStatus": ping_of(agent, instance),
                "LastPingDateTime": now(),
                "AgentVersion": "3.3.0.0",
                "IsLatestVersion": True,
                "PlatformType": agent.platform,
                "ResourceType": "EC2Instance",
                "IPAddress": instance.private_ip,
            }
            for instance, agent in agents
            if all(_FILTERS[key](instance, agent) in values for key, values in filters)
        ]
    }


def _inventory(call: Call) -> dict[str, Any]:
    ec2 = regional(call, "ec2")
    instance = instance_of(ec2, call.params["InstanceId"])
    if instance is None or agent_of(ec2, instance) is None:
        raise AwsError("InvalidInstanceId", f"{call.params['InstanceId']} is no managed instance")
    kind = call.params["TypeName"]
    entries = [{"Name": "openssh-server", "Version": "9.6"}] if kind == "AWS:Application" else []
    return {
        "TypeName": kind,
        "InstanceId": instance.id,
        "SchemaVersion": "1.1",
        "CaptureTime": f"{now():%Y-%m-%dT%H:%M:%SZ}",
        "Entries": entries,
    }
