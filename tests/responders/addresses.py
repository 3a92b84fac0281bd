"""Elastic IP addresses for the scenario's interfaces."""

from __future__ import annotations

from tests.responders.conftest import Scenario


def allocate(scenario: Scenario, eni: str) -> str:
    """An Elastic IP on an interface."""
    ec2 = scenario.client("ec2")
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=eni)
    return str(allocation)
