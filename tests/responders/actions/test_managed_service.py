"""What an AWS service manages is known before and told, and the rest is contained."""

from __future__ import annotations

from typing import Any

import pytest

from lab.faults import Faults
from lab.gate import answers
from lab.gate.call import Call
from responders.host.managed_service import manager
from tests.responders.conftest import Cordon, Scenario

ECS = {"Managed": True, "Principal": "ecs.amazonaws.com"}


@pytest.fixture
def managed(scenario: Scenario, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> str:
    """The second interface, which ECS manages and nobody else may change."""
    eni = scenario.enis[1]
    around = {key: list(layers) for key, layers in answers._around.items()}
    monkeypatch.setattr(answers, "_around", around)

    @answers.amend("ec2", "DescribeNetworkInterfaces")
    def _show(call: Call, result: dict[str, Any]) -> None:
        for interface in result["NetworkInterfaces"]:
            if interface["NetworkInterfaceId"] == eni:
                interface["Operator"] = ECS

    @answers.amend("ec2", "DescribeInstances")
    def _show_instance(call: Call, result: dict[str, Any]) -> None:
        for reservation in result["Reservations"]:
            for instance in reservation["Instances"]:
                instance["Operator"] = ECS

    faults.fail(
        "ec2",
        "ModifyNetworkInterfaceAttribute",
        "OperationNotPermitted",
        only=lambda call: call.params["NetworkInterfaceId"] == eni,
    )
    return eni


@pytest.mark.parametrize("tracking", ["direct", "convert"])
def test_the_others_are_isolated_and_it_is_not_called_contained(
    scenario: Scenario, managed: str, cordon: Cordon, tracking: str
) -> None:
    words = ("instance", scenario.instance, "--case", "IR-7", "--region", scenario.region)
    quick = ("--tracking", tracking, "--dwell", "0", "--no-snapshot", "--json")
    before = scenario.groups()[managed]
    dry = cordon(*words, *quick, "--dry-run")
    assert any(f"{managed} is managed by Amazon ECS" in r for r in dry.document["residual_risks"])
    answer = cordon(*words, *quick)
    assert answer.code == 1
    assert answer.document["outcome"] == "not-contained"
    assert scenario.groups() == {scenario.enis[0]: [scenario.isolate], managed: before}
    reason = answer.step("isolate-network")["reason"]
    for way_out in (managed, "--nacl", "--host-firewall", "--stop", "Amazon ECS"):
        assert way_out in reason
    risks = answer.document["residual_risks"]
    assert any(f"{scenario.instance} is managed by Amazon ECS" in risk for risk in risks)


@pytest.mark.parametrize(
    ("resource", "service"),
    [
        ({}, ""),
        ({"RequesterManaged": False, "RequesterId": "AIDA"}, ""),
        ({"Operator": {"Managed": False}}, ""),
        ({"Operator": {"Managed": True, "Principal": "eks.amazonaws.com"}}, "Amazon EKS"),
        ({"Operator": {"Managed": True, "Principal": "new.amazonaws.com"}}, "new.amazonaws.com"),
        ({"Operator": {"Managed": True}}, "an AWS service"),
        ({"RequesterManaged": True, "RequesterId": "amazon-ecs"}, "Amazon ECS"),
        ({"RequesterManaged": True, "RequesterId": "amazon-elb"}, "amazon-elb"),
        ({"RequesterManaged": True}, "an AWS service"),
    ],
)
def test_who_manages_a_resource(resource: dict[str, Any], service: str) -> None:
    assert manager(resource) == service
