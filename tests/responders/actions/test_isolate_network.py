"""Isolation: every interface, however it hangs on the instance; tracked connections; never open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract import Purpose
from lab.calls import Calls
from lab.faults import Faults
from lab.gate.answers import answer
from lab.gate.call import Call
from responders.actions.dwell import Dwell
from responders.actions.isolate_network import LIVES_ON, IsolateNetwork
from responders.actions.untrack import Untrack
from responders.graph import Step
from responders.host.interface_groups import DEFAULTS, TIMEOUTS, Opening
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from responders.runner import StepReport
from tests.responders.conftest import Scenario, prepare_group
from tests.responders.life import Crash, Life, with_act

MODIFY = ("ec2", "ModifyNetworkInterfaceAttribute")


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(IsolateNetwork(), scenario, calls, lambda: network(scenario))


def convert(life: Life, dwell: float = 0) -> list[StepReport]:
    """The three steps of `--tracking convert`."""
    opening = Opening()
    return life.respond(
        Step(Untrack(opening, dwell)),
        Step(Dwell(opening, dwell), after={Untrack: None}),
        Step(IsolateNetwork(opening), after={Untrack: None, Dwell: None}, closes=Untrack),
    )


def network(scenario: Scenario) -> dict[str, Any]:
    """Groups and idle timeouts; an interface that has the defaults has them set or not."""
    answer_ = scenario.client("ec2").describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [scenario.instance]}]
    )
    return {
        i["NetworkInterfaceId"]: (
            sorted(g["GroupId"] for g in i["Groups"]),
            {**DEFAULTS, **i.get("ConnectionTrackingConfiguration", {})},
        )
        for i in answer_["NetworkInterfaces"]
    }


def each(scenario: Scenario, value: Any) -> dict[str, Any]:
    return dict.fromkeys(scenario.enis, value)


def isolated(scenario: Scenario) -> Callable[[], None]:
    def check() -> None:
        assert scenario.groups() == each(scenario, [scenario.isolate])

    return check


def groups_set(calls: Calls) -> dict[str, list[list[str]]]:
    """Interface to the lists of groups that it was given, in order; of calls that succeeded."""
    given: dict[str, list[list[str]]] = {}
    for call in calls.of(*MODIFY):
        if "Groups" in call.params and not call.error:
            given.setdefault(call.params["NetworkInterfaceId"], []).append(call.params["Groups"])
    return given


def test_life(life: Life, scenario: Scenario) -> None:
    def outsider() -> str:
        scenario.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=scenario.enis[1], Groups=[scenario.app_group]
        )
        return scenario.enis[1]

    life.whole(isolated(scenario), drift=outsider)


def test_convert_shortens_then_untracks_then_isolates(
    life: Life, scenario: Scenario, calls: Calls
) -> None:
    opened, _, report = convert(life)
    assert isinstance(report.result, Done)
    assert report.risks == ()
    [warning] = opened.risks
    assert warning.startswith("OPEN to all traffic")
    for eni in scenario.enis:
        steps = [c.params for c in calls.of(*MODIFY) if c.params["NetworkInterfaceId"] == eni]
        assert [s.get("Groups") for s in steps] == [None, [scenario.untrack], [scenario.isolate]]
        assert steps[0]["ConnectionTrackingSpecification"] == TIMEOUTS


def test_direct_only_isolates_and_says_what_lives_on(
    life: Life, scenario: Scenario, calls: Calls
) -> None:
    report = life.run()
    assert groups_set(calls) == each(scenario, [[scenario.isolate]])
    timeouts = [c.params.get("ConnectionTrackingSpecification") for c in calls.of(*MODIFY)]
    assert timeouts == [None] * len(scenario.enis) + [TIMEOUTS] * len(scenario.enis)
    assert report.risks == (LIVES_ON,)


def test_a_stopped_instance_has_no_connections_to_cut(
    life: Life, scenario: Scenario, calls: Calls
) -> None:
    scenario.client("ec2").stop_instances(InstanceIds=[scenario.instance])
    calls.clear()
    results = [report.result for report in convert(life)]
    assert isinstance(results[0], Skipped)
    assert isinstance(results[2], Done)
    assert groups_set(calls) == each(scenario, [[scenario.isolate]])


def test_timeouts_that_were_set_come_back(life: Life, scenario: Scenario) -> None:
    scenario.client("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=scenario.enis[0],
        ConnectionTrackingSpecification={"TcpEstablishedTimeout": 350, "UdpTimeout": 45},
    )
    life.done_and_released(isolated(scenario))


def test_an_instance_that_is_not_nitro_is_converted_without_timeouts(
    life: Life, scenario: Scenario, faults: Faults, calls: Calls
) -> None:
    faults.fail(
        *MODIFY,
        "InvalidParameterValue",
        "The instance type t2.micro does not support configurable connection tracking",
        only=lambda call: "ConnectionTrackingSpecification" in call.params,
    )
    opened, _, report = convert(life)
    assert isinstance(report.result, Done), reason_of(report.result)
    isolated(scenario)()
    both = [[scenario.untrack], [scenario.isolate]]
    assert groups_set(calls) == each(scenario, both)
    assert sum("t2.micro does not support" in risk for risk in opened.risks) == 2


def test_an_interface_in_another_vpc_gets_that_vpcs_group(life: Life, scenario: Scenario) -> None:
    ec2 = scenario.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.1.0/24")["Subnet"]["SubnetId"]
    other = prepare_group(scenario.lab, scenario.region, vpc, Purpose.ISOLATE)
    eni = attach(scenario, subnet)
    opened, _, report = convert(life)
    assert isinstance(report.result, Done), reason_of(report.result)
    assert scenario.groups() == {**each(scenario, [scenario.isolate]), eni: [other]}
    assert f"{eni}: no untrack group to trust, so its tracked connections live on" in opened.risks


def test_no_trusted_group_in_one_vpc_stops_nothing_in_the_other(
    life: Life, scenario: Scenario
) -> None:
    ec2 = scenario.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.1.0/24")["Subnet"]["SubnetId"]
    eni = attach(scenario, subnet)
    report = life.run()
    assert isinstance(report.result, Failed)
    assert f"{eni}: its VPC has no isolate group to trust" in str(reason_of(report.result))
    groups = scenario.groups()
    del groups[eni]
    assert groups == each(scenario, [scenario.isolate])


def attach(scenario: Scenario, subnet: str, index: int = 5) -> str:
    """A new interface on the instance."""
    ec2 = scenario.client("ec2")
    made = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    ec2.attach_network_interface(
        InstanceId=scenario.instance,
        NetworkInterfaceId=made["NetworkInterfaceId"],
        DeviceIndex=index,
    )
    return str(made["NetworkInterfaceId"])


def subnet_of(scenario: Scenario) -> str:
    subnets = scenario.client("ec2").describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [scenario.vpc]}]
    )["Subnets"]
    return str(subnets[0]["SubnetId"])


def test_a_group_of_another_account_is_not_used(life: Life, scenario: Scenario) -> None:
    """In a shared VPC the owner's group may be visible; it can't be put on our interfaces."""
    moto_ec2 = backend("ec2", scenario.region)
    moto_ec2.get_security_group_from_id(scenario.isolate).owner_id = "999988887777"
    assert {state["isolate"] for state in life.observe().values()} == {None}


def backend(service: str, region: str) -> Any:
    from moto.backends import get_backend

    return get_backend(service)["123456789012"][region]


class TestBranches:
    """Interfaces of containers: not attached, but the instance's all the same."""

    @pytest.fixture
    def trunk(self, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> str:
        from moto.ec2.models.elastic_network_interfaces import NetworkInterface

        first = scenario.enis[0]
        kind = property(lambda eni: "trunk" if eni.id == first else "interface", lambda *_: None)
        monkeypatch.setattr(NetworkInterface, "interface_type", kind, raising=False)
        return first

    def branch(self, scenario: Scenario, **tags: str) -> str:
        made = scenario.client("ec2").create_network_interface(
            SubnetId=subnet_of(scenario), Groups=[scenario.app_group]
        )["NetworkInterface"]["NetworkInterfaceId"]
        if tags:
            scenario.client("ec2").create_tags(
                Resources=[made], Tags=[{"Key": k, "Value": v} for k, v in tags.items()]
            )
        return str(made)

    def groups_of(self, scenario: Scenario, eni: str) -> list[str]:
        found = scenario.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[eni])
        return [g["GroupId"] for g in found["NetworkInterfaces"][0]["Groups"]]

    def test_both_kinds_are_isolated_and_released(
        self, life: Life, scenario: Scenario, trunk: str, associations: dict[str, str]
    ) -> None:
        pod = self.branch(scenario, **{"vpcresources.k8s.aws/trunk-eni-id": trunk})
        task, other = self.branch(scenario), self.branch(scenario)
        associations |= {task: trunk, other: "eni-0123456789abcdef0"}
        report = life.run()
        assert isinstance(report.result, Done), reason_of(report.result)
        assert report.risks == (LIVES_ON,)
        assert self.groups_of(scenario, pod) == [scenario.isolate]
        assert self.groups_of(scenario, task) == [scenario.isolate]
        assert self.groups_of(scenario, other) == [scenario.app_group]
        life.release()
        assert self.groups_of(scenario, pod) == [scenario.app_group]
        assert self.groups_of(scenario, task) == [scenario.app_group]

    def test_what_cannot_be_listed_is_a_risk_and_stops_nothing(
        self, life: Life, scenario: Scenario, trunk: str, faults: Faults
    ) -> None:
        faults.deny("ec2", "DescribeTrunkInterfaceAssociations")
        report = life.run()
        assert isinstance(report.result, Done), reason_of(report.result)
        assert any(trunk in risk and "Unauthorized" in risk for risk in report.risks)
        isolated(scenario)()


@pytest.fixture
def associations(scenario: Scenario) -> dict[str, str]:
    """Branch to trunk, as the account will list them."""
    _ASSOCIATIONS.clear()
    return _ASSOCIATIONS


_ASSOCIATIONS: dict[str, str] = {}


@answer("ec2", "DescribeTrunkInterfaceAssociations")
def _describe(call: Call) -> dict[str, Any]:
    return {
        "InterfaceAssociations": [
            {"BranchInterfaceId": branch, "TrunkInterfaceId": trunk, "AssociationId": "trunk-assoc"}
            for branch, trunk in _ASSOCIATIONS.items()
        ]
    }


class TestNeverLeftOpen:
    """When the isolate group can't be put on, the untrack group must not stay on."""

    def test_former_groups_come_back(
        self, life: Life, scenario: Scenario, faults: Faults, calls: Calls
    ) -> None:
        before = scenario.groups()
        faults.deny(*MODIFY, only=lambda call: call.params.get("Groups") == [scenario.isolate])
        report = convert(life)[2]
        assert isinstance(report.result, Failed)
        assert scenario.groups() == before
        for eni in scenario.enis:
            assert f"{eni} is not isolated" in str(reason_of(report.result))
            assert any(f"{eni} has its former groups again" in note for note in report.notes)
            assert [scenario.untrack] in groups_set(calls)[eni]

    def test_it_says_so_when_they_cannot(
        self, life: Life, scenario: Scenario, faults: Faults
    ) -> None:
        faults.deny(
            *MODIFY,
            only=lambda call: call.params.get("Groups", [scenario.untrack]) != [scenario.untrack],
        )
        report = convert(life)[2]
        assert isinstance(report.result, Failed)
        assert "IS OPEN TO EVERYTHING" in str(reason_of(report.result))

    def test_an_answer_that_was_lost_opens_nothing(
        self, life: Life, scenario: Scenario, faults: Faults, calls: Calls
    ) -> None:
        """The call was carried out; to put the former groups back would open the network."""
        faults.lose(*MODIFY)
        report = convert(life)[2]
        assert isinstance(report.result, Done), reason_of(report.result)
        isolated(scenario)()
        former = [scenario.app_group]
        assert not any(c.params.get("Groups") == former for c in calls.of(*MODIFY))

    def test_it_says_so_when_nobody_can_tell(
        self, life: Life, scenario: Scenario, faults: Faults
    ) -> None:
        def blind(_call: Call) -> None:
            faults.deny("ec2", "DescribeNetworkInterfaces")
            faults.deny("ec2", "DescribeInstances")

        faults.after(*MODIFY, blind, only=lambda c: c.params.get("Groups") == [scenario.untrack])
        faults.deny(*MODIFY, only=lambda c: c.params.get("Groups") == [scenario.isolate])
        report = convert(life)[2]
        assert isinstance(report.result, Failed)
        assert "MAY BE OPEN TO EVERYTHING" in str(reason_of(report.result))

    def test_after_a_crash_in_the_dwell_too(
        self, life: Life, scenario: Scenario, faults: Faults
    ) -> None:
        before = scenario.groups()
        crash_in_the_dwell(life, scenario)
        faults.deny(*MODIFY, only=lambda call: call.params.get("Groups") == [scenario.isolate])
        assert isinstance(convert(life)[2].result, Failed)
        assert scenario.groups() == before

    def test_a_crash_in_the_dwell_is_resumed_and_released(
        self, life: Life, scenario: Scenario
    ) -> None:
        before = life.state()
        crash_in_the_dwell(life, scenario)
        report = convert(life, 100)[2]
        assert isinstance(report.result, Done), reason_of(report.result)
        isolated(scenario)()
        released(life)
        assert life.state() == before


def released(life: Life) -> None:
    """Both steps, the last first, as a release does."""
    life.release()
    report = Life(Untrack(), life.world, life.calls, life.state, number=life.number).release()
    assert report is None or isinstance(report.result, Done | AlreadyInPlace), report


def crash_in_the_dwell(life: Life, scenario: Scenario) -> None:
    """Leaves the untrack group on, as a killed process would."""

    def die(act: Any, incident: Any, seen: Any) -> None:
        for eni in scenario.enis:
            scenario.client("ec2").modify_network_interface_attribute(
                NetworkInterfaceId=eni, Groups=[scenario.untrack]
            )
        raise Crash

    with pytest.raises(Crash):
        life.respond(Step(with_act(Untrack(), die)))
