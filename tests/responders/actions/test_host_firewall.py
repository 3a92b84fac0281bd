"""The host's own firewall: applied and taken away by the document, judged by the history."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from contract import Document, ScriptExit
from lab import hosts
from lab.calls import Calls
from lab.faults import Faults
from lab.hosts import Ended
from lab.mends.managed_instances import set_agent
from responders.actions import host_firewall
from responders.actions.host_firewall import HostFirewall
from responders.host import run_command
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import ACCOUNT, ending, prepare_documents, scripted
from tests.responders.life import Life


def endpoint(scenario: Scenario, service: str) -> None:
    ec2 = scenario.client("ec2")
    subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [scenario.vpc]}])
    ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=scenario.vpc,
        ServiceName=f"com.amazonaws.{scenario.region}.{service}",
        SubnetIds=[subnet["Subnets"][0]["SubnetId"]],
        SecurityGroupIds=[scenario.app_group],
    )


@pytest.fixture
def life(scenario: Scenario, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> Life:
    monkeypatch.setattr(run_command, "EVERY", 0.01)
    monkeypatch.setattr(run_command, "GRACE", 0.3)
    monkeypatch.setattr(host_firewall, "COMES_BACK", 0.1)
    prepare_documents(scenario)
    set_agent(ACCOUNT, scenario.region, scenario.instance)
    rules: set[str] = set()

    def run(host: hosts.Host, given: dict[str, str]) -> Ended:
        (rules.add if given["Mode"] == "apply" else rules.discard)(host.instance.id)
        return hosts.host_firewall(host, given)

    scripted(scenario, Document.HOST_FIREWALL, run)
    scenario.extra["rules"] = rules
    for service in ("ssm", "ssmmessages"):
        endpoint(scenario, service)
    calls.clear()
    made = Life(HostFirewall(), scenario, calls, lambda: set(rules))
    made.action = dataclasses.replace(made.action, channel=True)
    return made


def sent(calls: Calls) -> list[dict[str, Any]]:
    return [
        {k: v[0] for k, v in c.params["Parameters"].items()} for c in calls.of("ssm", "SendCommand")
    ]


def test_life(scenario: Scenario, life: Life) -> None:
    def done() -> None:
        assert scenario.extra["rules"] == {scenario.instance}

    life.whole(done)


def test_a_channel_leaves_the_agent_s_path_and_nothing_else(
    scenario: Scenario, life: Life, calls: Calls
) -> None:
    life.run()
    (given,) = sent(calls)
    interfaces = scenario.client("ec2").describe_network_interfaces(
        Filters=[{"Name": "interface-type", "Values": ["vpc_endpoint"]}]
    )["NetworkInterfaces"] or [
        i
        for e in scenario.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
        for i in scenario.client("ec2").describe_network_interfaces(
            NetworkInterfaceIds=e["NetworkInterfaceIds"]
        )["NetworkInterfaces"]
    ]
    assert given["Channel"] == "yes"
    assert set(given["Endpoints"].split(",")) == {i["PrivateIpAddress"] for i in interfaces}
    assert "10.20.0.2" in given["Resolvers"].split(",")


def test_without_endpoints_there_is_no_channel(
    scenario: Scenario, life: Life, calls: Calls
) -> None:
    ec2 = scenario.client("ec2")
    ids = [e["VpcEndpointId"] for e in ec2.describe_vpc_endpoints()["VpcEndpoints"]]
    ec2.delete_vpc_endpoints(VpcEndpointIds=ids)
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert "lacks ssm, ssmmessages" in result.reason
    assert sent(calls) == []


def test_without_a_channel_only_the_console_undoes_it(
    scenario: Scenario, life: Life, calls: Calls
) -> None:
    life.action = dataclasses.replace(life.action, channel=False)
    report = life.run()
    assert isinstance(report.result, Done)
    assert any("console or a reboot" in note for note in report.notes)
    assert sent(calls)[0]["Channel"] == "no"
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Skipped)
    assert released.result.incomplete
    assert "reboot" in released.result.reason
    assert len(sent(calls)) == 1


def test_release_waits_for_the_agent(
    scenario: Scenario, life: Life, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.run()
    set_agent(ACCOUNT, scenario.region, scenario.instance, ping="ConnectionLost")
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Skipped)
    assert released.result.incomplete
    assert scenario.extra["rules"]
    set_agent(ACCOUNT, scenario.region, scenario.instance)
    released = life.release()
    assert released is not None
    assert isinstance(released.result, Done)
    assert not scenario.extra["rules"]


def test_what_systems_manager_forgot_the_record_knows(
    scenario: Scenario, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.run()
    monkeypatch.setattr("responders.host.run_command.history", lambda *_: [])
    assert isinstance(life.run().result, AlreadyInPlace)


@pytest.mark.parametrize(
    ("code", "kind"), [(ScriptExit.UNSUPPORTED, Skipped), (ScriptExit.FAILED, Failed)]
)
def test_a_host_that_refuses_is_a_clear_result(
    scenario: Scenario, life: Life, code: ScriptExit, kind: type
) -> None:
    ended = hosts.report(Document.HOST_FIREWALL, code, "neither nft nor iptables works")
    scripted(scenario, Document.HOST_FIREWALL, ending(ended))
    result = life.run().result
    assert isinstance(result, kind)
    assert "neither nft" in reason_of(result)


def test_windows_has_none(scenario: Scenario, life: Life, calls: Calls) -> None:
    set_agent(ACCOUNT, scenario.region, scenario.instance, platform="Windows")
    result = life.run().result
    assert isinstance(result, Skipped)
    assert result.incomplete
    assert sent(calls) == []


def test_other_rules_that_changed_are_told(scenario: Scenario, life: Life) -> None:
    life.run()
    ended = hosts.report(
        Document.HOST_FIREWALL, ScriptExit.DONE, "taken away", drift="other rules changed"
    )
    scripted(scenario, Document.HOST_FIREWALL, ending(ended))
    released = life.release()
    assert released is not None
    assert any("other rules changed" in note for note in released.notes)


def test_denied_is_a_failure(life: Life, faults: Faults) -> None:
    faults.deny("ssm", "SendCommand")
    result = life.run().result
    assert isinstance(result, Failed)
    assert "AccessDenied" in reason_of(result)
