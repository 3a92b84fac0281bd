"""An instance that has all that a playbook may meet, and what AWS says when each step is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from contract import DARK_PROFILE
from lab.mends.managed_instances import set_agent
from responders.action import Incident
from responders.actions import host_firewall
from responders.host import run_command
from responders.playbooks.instance import InstanceOptions
from responders.result import holds
from responders.runner import StepReport
from tests.responders.addresses import allocate
from tests.responders.balancers import Balancers
from tests.responders.conftest import Scenario
from tests.responders.evidence import (
    ACCOUNT,
    objects,
    prepare_documents,
    prepare_key,
    snapshots,
    stage_tool,
)
from tests.responders.fleets import fleet, make_fleet
from tests.responders.profiles import (
    give,
    make_profile,
    make_role,
    policies_of,
    prepare_isolated,
    profile_of,
)

ATTACKER = "203.0.113.7/32"
FULL = InstanceOptions(
    tracking="convert",
    dwell=0,
    evidence_first=True,
    memory=True,
    host_firewall=True,
    stop=True,
    nacl=(ATTACKER,),
)
"""Every step of the instance playbook but hibernation, which excludes others."""


class Workload:
    """The scenario's instance in a fleet, behind load balancers, with addresses and a role."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        make_fleet(scenario, low=0, high=9)
        self.balancers = Balancers(scenario)
        allocate(scenario, scenario.enis[0])
        make_role(scenario)
        make_profile(scenario)
        give(scenario)
        prepare_isolated(scenario)
        prepare_key(scenario)
        prepare_documents(scenario)
        set_agent(ACCOUNT, scenario.region, scenario.instance)
        stage_tool(scenario, "avml-x86_64")

    def isolated(self) -> bool:
        """Whether every interface has exactly the isolate group."""
        groups = self.scenario.groups()
        return bool(groups) and set(map(tuple, groups.values())) == {(self.scenario.isolate,)}

    def instance(self) -> Mapping[str, Any]:
        """The instance as described now."""
        answer = self.scenario.client("ec2").describe_instances(
            InstanceIds=[self.scenario.instance]
        )
        found: Mapping[str, Any] = answer["Reservations"][0]["Instances"][0]
        return found

    def protected(self) -> bool:
        """Termination and stop protection."""
        answers = [
            self.scenario.client("ec2").describe_instance_attribute(
                InstanceId=self.scenario.instance, Attribute=name
            )[name[0].upper() + name[1:]]["Value"]
            for name in ("disableApiTermination", "disableApiStop")
        ]
        return answers == [True, True]

    def denied(self) -> bool:
        """Whether the attacker's address is denied both ways."""
        acls = self.scenario.client("ec2").describe_network_acls(
            Filters=[{"Name": "vpc-id", "Values": [self.scenario.vpc]}]
        )["NetworkAcls"]
        entries = [e for e in acls[0]["Entries"] if e.get("CidrBlock") == ATTACKER]
        return {e["Egress"] for e in entries if e["RuleAction"] == "deny"} == {True, False}

    def addresses(self) -> list[Any]:
        """Elastic IPs that are on an interface."""
        answer = self.scenario.client("ec2").describe_addresses()
        return [a for a in answer["Addresses"] if a.get("NetworkInterfaceId")]

    def state(self) -> dict[str, Any]:
        """What release must bring back."""
        instance = self.instance()
        return {
            "groups": self.scenario.groups(),
            "state": instance["State"]["Name"],
            "metadata": instance["MetadataOptions"]["HttpEndpoint"],
            "environment": self.scenario.tags(self.scenario.instance)["Environment"],
            "protected": self.protected(),
            "denied": self.denied(),
            "addresses": len(self.addresses()),
            "profile": profile_of(self.scenario),
            "policies": policies_of(self.scenario),
            "fleet": fleet(self.scenario)["state"],
            "balancers": self.balancers.registered(),
        }

    @property
    def truths(self) -> dict[str, Callable[[], bool]]:
        """Step to whether AWS says what the step claims when it is done."""
        return {
            "isolate-network": self.isolated,
            "protect": self.protected,
            "leave-fleet": lambda: fleet(self.scenario)["state"] is None,
            "leave-load-balancers": lambda: not any(self.balancers.registered().values()),
            "deny-subnet": self.denied,
            "tag": lambda: self.scenario.tags(self.scenario.instance)["Environment"].startswith(
                "Quarantine:"
            ),
            "stop": lambda: self.instance()["State"]["Name"] == "stopped",
            "drop-addresses": lambda: self.addresses() == [],
            "swap-profile": lambda: profile_of(self.scenario) in (DARK_PROFILE, None),
            "revoke-sessions": lambda: len(policies_of(self.scenario)) == 1,
            "disable-metadata": lambda: (
                self.instance()["MetadataOptions"]["HttpEndpoint"] == "disabled"
            ),
            "snapshot": lambda: len(snapshots(self.scenario)) >= 1,
            "memory": lambda: any("memory" in key for key in objects(self.scenario)),
        }

    def lies(self, reports: list[StepReport]) -> list[str]:
        """Steps that claim what AWS does not say."""
        claimed = [r.name for r in reports if holds(r.result)]
        return [name for name in claimed if name in self.truths and not self.truths[name]()]


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for AWS are three looks without a pause."""

    def wait_for(
        self: Incident, ready: Callable[[], bool], *, seconds: float, every: float = 2.0
    ) -> bool:
        return any(ready() for _ in range(3))

    monkeypatch.setattr(Incident, "wait_for", wait_for)
    monkeypatch.setattr(run_command, "EVERY", 0.01)
    monkeypatch.setattr(run_command, "GRACE", 0.2)
    monkeypatch.setattr(run_command, "REACHABLE_EVERY", 0.05)
    monkeypatch.setattr(host_firewall, "COMES_BACK", 0.1)
