"""Isolates the instance from the inside too, by a firewall of its own, through Systems Manager.

With the `channel` profile the agent's own path stays open (the VPC's interface endpoints of Systems
Manager, DNS, the metadata service), and release takes the rules away again. Without it nothing
stays open: then only the console, or a reboot, takes them away. Root on the host can do so too.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import Document
from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.host import host_readiness, run_command
from responders.permissions import allow
from responders.record.journal import canonical
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef
    from types_boto3_ssm.type_defs import CommandTypeDef

DOCUMENT = Document.HOST_FIREWALL
SECONDS = 120
COMES_BACK = 300.0
"""Seconds that release gives the agent to connect again, once the network is open."""
RULES = "host firewall"
AGENT_SERVICES = ("ssm", "ssmmessages", "ec2messages")
NEEDED = {"ssm", "ssmmessages"}
RESOLVERS = ("169.254.169.253", "fd00:ec2::253")
"""The VPC resolver's fixed addresses; the third is the VPC's base plus two."""
MOST = 32
"""Addresses that the document takes in one list."""


@dataclass(frozen=True)
class HostFirewall(Action[Scene]):
    """The host's own rules let nothing through but, with a channel, its agent."""

    channel: bool = False
    """Whether the way to Systems Manager stays open from the inside."""

    name = "host-firewall"
    permissions = (
        allow(
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeVpcs",
            "ec2:DescribeNetworkInterfaces",
            because="finds the addresses that the agent talks to",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """`applied` or `absent`, by the last command of this case that succeeded.

        Systems Manager forgets commands after 30 days; then what the case saved of it counts.
        """
        done = _last(incident)
        if done is None:
            return {RULES: "applied" if _saved(incident) else "absent"}
        return {RULES: "applied" if _given(done, "Mode") == "apply" else "absent"}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """One line, if the rules are not applied."""
        return () if observation[RULES] == "applied" else ("the host has no firewall of this case",)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Applies the rules; `Skip`, incomplete, when it can't be done on this host."""
        agent = host_readiness.ready(incident)
        if agent.platform != "Linux":
            raise Skip(f"there is no host firewall for {agent.platform}", incomplete=True)
        parameters = {"Mode": "apply", "Channel": "yes" if self.channel else "no"}
        if self.channel:
            parameters |= _channel(incident)
        outcome = _run(incident, agent.platform, parameters)
        facts = run_command.judge(outcome, DOCUMENT)
        incident.evidence.save(f"{_prefix(incident)}{outcome.command}.json", canonical(dict(facts)))
        if not self.channel:
            incident.note(
                "the rules cut the agent off as well: only the console or a reboot takes them away"
            )

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Takes the rules away, once the agent is back; `Skip` where it can't come back."""
        done = _last(incident)
        if done is not None and _given(done, "Channel") == "no":
            raise Skip(
                "the host's own rules keep its agent off: reboot it, or use its console "
                "(`nft delete table inet cordon`, or the iptables chain CORDON)",
                incomplete=True,
            )

        def back() -> bool:
            found = run_command.agent(incident, incident.target)
            incident.watch("waiting for the agent", None)
            return found is not None and found.online

        incident.wait_for(back, seconds=COMES_BACK, every=5.0)
        agent = run_command.ready_agent(incident, incident.target)
        facts = run_command.judge(_run(incident, agent.platform, {"Mode": "undo"}), DOCUMENT)
        if facts.get("drift", "none") != "none":
            incident.note(f"the host's other rules: {facts['drift']}")


def _prefix(incident: Incident[Scene]) -> str:
    return f"{incident.target}/host-firewall-"


def _saved(incident: Incident[Scene]) -> bool:
    """Whether the case applied the rules and has not been released since."""
    names = incident.evidence.names()
    return bool(incident.known) and any(n.startswith(_prefix(incident)) for n in names)


def _last(incident: Incident[Scene]) -> CommandTypeDef | None:
    """The newest command of this case that succeeded on the host."""
    sent = run_command.history(incident, incident.target, DOCUMENT)
    return next((c for c in sent if c["Status"] == "Success"), None)


def _given(command: CommandTypeDef, parameter: str) -> str:
    return str(next(iter(command.get("Parameters", {}).get(parameter, ())), ""))


def _run(
    incident: Incident[Scene], platform: str, parameters: dict[str, str]
) -> run_command.Outcome:
    command = run_command.send(incident, incident.target, DOCUMENT, parameters, seconds=SECONDS)
    return run_command.follow(
        incident,
        incident.target,
        command,
        platform,
        seconds=SECONDS + run_command.DELIVERY,
        activity="host firewall",
        reachable=lambda: host_readiness.has_way_out(incident),
    )


def _channel(incident: Incident[Scene]) -> dict[str, str]:
    """What stays open: endpoints of Systems Manager in the VPC, and DNS."""
    vpcs = sorted({str(i["VpcId"]) for i in incident.subject.interfaces})
    client = incident.client("ec2")
    of_these: list[FilterTypeDef] = [{"Name": "vpc-id", "Values": vpcs}]
    pages = client.get_paginator("describe_vpc_endpoints").paginate(Filters=of_these)
    found = {
        str(e["ServiceName"]).rsplit(".", 1)[-1]: e
        for page in pages
        for e in page["VpcEndpoints"]
        if e["VpcEndpointType"] == "Interface" and e["State"].lower() == "available"
    }
    if not set(found) >= NEEDED:
        raise Skip(
            "a channel needs interface endpoints of Systems Manager in the instance's VPC, and "
            f"{', '.join(vpcs)} lacks {', '.join(sorted(NEEDED - set(found)))}",
            incomplete=True,
        )
    interfaces = [
        str(i) for s in AGENT_SERVICES if s in found for i in found[s]["NetworkInterfaceIds"]
    ]
    described = client.describe_network_interfaces(
        Filters=[{"Name": "network-interface-id", "Values": sorted(interfaces)}]
    )["NetworkInterfaces"]
    addresses = [str(i["PrivateIpAddress"]) for i in described]
    addresses += [str(a["Ipv6Address"]) for i in described for a in i.get("Ipv6Addresses", ())]
    cidrs = [str(v["CidrBlock"]) for v in client.describe_vpcs(Filters=of_these)["Vpcs"]]
    resolvers = [*RESOLVERS, *(str(ipaddress.ip_network(cidr)[2]) for cidr in cidrs)]
    return {
        "Endpoints": ",".join(sorted(set(addresses))[:MOST]),
        "Resolvers": ",".join(sorted(set(resolvers))[:MOST]),
    }
