"""Leaving load balancers: target groups by id and by address, classic ones, all back on release."""

from __future__ import annotations

from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.leave_load_balancers import LeaveLoadBalancers
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.balancers import Balancers
from tests.responders.conftest import Scenario
from tests.responders.life import Life


@pytest.fixture
def balancers(scenario: Scenario) -> Balancers:
    return Balancers(scenario)


@pytest.fixture
def life(scenario: Scenario, balancers: Balancers, calls: Calls) -> Life:
    return Life(LeaveLoadBalancers(), scenario, calls, balancers.registered)


def test_life(life: Life, balancers: Balancers) -> None:
    def done() -> None:
        assert set(map(len, balancers.registered().values())) == {0}

    life.whole(done)


def test_every_registration_is_found(life: Life, balancers: Balancers) -> None:
    assert set(life.observe()) == {
        f"{balancers.by_id} {balancers.scenario.instance}:80",
        f"{balancers.by_address} {balancers.address}:8080",
        "classic old",
    }


def test_another_port_is_drift(life: Life, balancers: Balancers) -> None:
    """Somebody registers it elsewhere meanwhile: told, for it is not what we took out."""
    assert isinstance(life.run().result, Done)
    mine = [{"Id": balancers.scenario.instance, "Port": 9090}]
    balancers.v2.register_targets(TargetGroupArn=balancers.other, Targets=mine)
    assert f"{balancers.other} {mine[0]['Id']}:9090" in life.observe()
    assert isinstance(life.run().result, Done)
    assert balancers.registered()[balancers.other] == []


def test_registered_nowhere(scenario: Scenario, calls: Calls) -> None:
    life = Life(LeaveLoadBalancers(), scenario, calls, dict)
    assert life.run().result == Skipped("registered with no load balancer")


def test_a_target_that_drains_has_left(
    life: Life, balancers: Balancers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup

    def draining(self: Any, target: Any, ec2: Any) -> Any:
        reason = "Target.DeregistrationInProgress"
        return FakeHealthStatus(target["Id"], "80", "80", "draining", reason, "")

    assert isinstance(life.run().result, Done)
    mine = [{"Id": balancers.scenario.instance, "Port": 80}]
    balancers.v2.register_targets(TargetGroupArn=balancers.by_id, Targets=mine)
    monkeypatch.setattr(FakeTargetGroup, "health_for", draining)
    assert isinstance(life.run().result, AlreadyInPlace)


def test_one_group_that_cannot_be_asked_hides_no_other(
    life: Life, balancers: Balancers, faults: Faults
) -> None:
    before = balancers.registered()
    faults.deny(
        "elbv2",
        "DescribeTargetHealth",
        only=lambda call: call.params["TargetGroupArn"] == balancers.by_id,
    )
    report = life.run()
    assert isinstance(report.result, Failed)
    assert f"{balancers.by_id}: not known if registered" in str(reason_of(report.result))
    faults.clear()
    left = {group for group, targets in balancers.registered().items() if targets}
    assert left == {balancers.by_id}
    life.release()
    assert balancers.registered() == before


def test_no_permission_for_one_kind_hides_not_the_other(
    life: Life, balancers: Balancers, faults: Faults
) -> None:
    faults.deny("elbv2", "DescribeTargetGroups")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "target groups: not known if registered" in str(reason_of(report.result))
    assert balancers.registered()["old"] == []


def test_one_refusal_stops_no_other(life: Life, balancers: Balancers, faults: Faults) -> None:
    faults.deny("elbv2", "DeregisterTargets")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert balancers.registered()["old"] == []
