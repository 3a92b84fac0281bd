"""The sessions of the instance's role: this instance's, or all; odd roles; and back on release."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.actions.revoke_sessions import RevokeSessions
from responders.actions.swap_profile import SwapProfile
from responders.aws import Identity
from responders.graph import Step
from responders.identity import deny_document
from responders.result import Done, Failed, Planned, Skipped, reason_of
from responders.runner import StepReport
from tests.responders.conftest import Scenario
from tests.responders.life import Life
from tests.responders.profiles import (
    PROFILE,
    ROLE,
    give,
    make_profile,
    make_role,
    policies_of,
    prepare_isolated,
    profile_of,
)

NARROW = "cordon-deny-IR-7@{}"


class World:
    """A profile and a role of other names, both with a path."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.role_id = make_role(scenario)
        make_profile(scenario)
        give(scenario)
        prepare_isolated(scenario)

    def condition(self, policy: str) -> Any:
        [statement] = policies_of(self.scenario)[policy]["Statement"]
        assert (statement["Effect"], statement["Action"], statement["Resource"]) == (
            "Deny",
            "*",
            "*",
        )
        return statement["Condition"]


@pytest.fixture
def world(scenario: Scenario) -> World:
    return World(scenario)


@pytest.fixture
def life(world: World, calls: Calls) -> Life:
    return Life(RevokeSessions(), world.scenario, calls, lambda: policies_of(world.scenario))


def both(life: Life) -> StepReport:
    """The swap and the revocation, as the playbook has them."""
    swap = Step(SwapProfile())
    revoke = Step(life.action, after={SwapProfile: None})
    return life.respond(swap, revoke)[1]


def test_life_while_the_instance_has_the_role(life: Life, world: World) -> None:
    """As when the swap failed: its sessions are denied whenever they were issued."""

    def done() -> None:
        condition = world.condition(f"cordon-deny-{life.case}@{world.scenario.instance}")
        userid = f"{world.role_id}:{world.scenario.instance}*"
        assert condition == {"StringLike": {"aws:userid": userid}}

    life.whole(done)


def test_after_the_swap_sessions_until_30_s_ahead(life: Life, world: World) -> None:
    before = datetime.now(UTC)
    report = both(life)
    assert isinstance(report.result, Done), reason_of(report.result)
    assert profile_of(world.scenario) == "cordon-isolated-dark"
    condition = world.condition(NARROW.format(world.scenario.instance))
    text = condition["DateLessThan"]["aws:TokenIssueTime"]
    assert text.endswith("Z")
    ahead = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) - before
    assert timedelta(seconds=30) <= ahead < timedelta(seconds=60)
    assert condition["StringLike"] == {"aws:userid": f"{world.role_id}:{world.scenario.instance}*"}
    assert any("role chaining" in risk for risk in report.risks)


def test_again_and_released_after_the_swap(life: Life, world: World) -> None:
    both(life)
    life.mutating()
    assert [r.result for r in life.respond(Step(SwapProfile()), Step(life.action))] != []
    assert life.mutating() == []
    life.restores({})


def test_a_run_that_died_after_the_swap_still_knows_the_role(life: Life, world: World) -> None:
    """The profile that the instance shows is the isolated one; the record has the former."""
    life.respond(Step(SwapProfile()))
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert list(policies_of(world.scenario)) == [NARROW.format(world.scenario.instance)]


def test_a_swap_that_succeeds_later(life: Life, world: World, faults: Faults) -> None:
    """The deny without a cut-off is enough then too."""
    faults.deny("ec2", "ReplaceIamInstanceProfileAssociation")
    faults.deny("ec2", "DisassociateIamInstanceProfile")
    assert isinstance(both(life).result, Done)
    faults.clear()
    life.mutating()
    swap, revoke = life.respond(Step(SwapProfile()), Step(life.action, after={SwapProfile: None}))
    assert isinstance(swap.result, Done)
    assert [c.operation for c in life.mutating()] == ["ReplaceIamInstanceProfileAssociation"]
    assert revoke.result != Failed


class TestRoleWide:
    @pytest.fixture
    def other(self, world: World) -> str:
        """Another instance with the same profile, in another region."""
        ec2 = world.scenario.lab.client("ec2", "us-east-1")
        made = ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            IamInstanceProfile={"Name": PROFILE},
        )
        return str(made["Instances"][0]["InstanceId"])

    @pytest.fixture
    def life(self, world: World, calls: Calls) -> Life:
        life = Life(
            RevokeSessions(role_wide=True),
            world.scenario,
            calls,
            lambda: policies_of(world.scenario),
        )
        life.action = replace(life.action, role_wide=True)
        return life

    def test_all_sessions_are_denied(self, life: Life, world: World) -> None:
        def done() -> None:
            assert set(world.condition(f"cordon-deny-{life.case}")) == {"DateLessThan"}
            assert f"cordon-deny-{life.case}@{world.scenario.instance}" in policies_of(
                world.scenario
            )

        life.done_and_released(done)

    def test_whom_it_hits_is_in_the_plan(self, life: Life, world: World, other: str) -> None:
        report = life.dry()
        assert isinstance(report.result, Planned)
        assert any(f"also hits {other} (us-east-1)" in line for line in report.result.lacks), (
            report.result
        )

    def test_whom_it_hits_is_told_before(
        self, life: Life, world: World, other: str, calls: Calls
    ) -> None:
        told: list[tuple[StepReport, bool]] = []
        calls.clear()

        def listen(report: StepReport) -> None:
            told.append((report, bool(calls.of("iam", "PutRolePolicy"))))

        life.respond(Step(life.action), listener=listen)
        first, written_before = told[0]
        assert isinstance(first.result, Planned)
        assert other in str(reason_of(first.result))
        assert not written_before
        assert isinstance(told[-1][0].result, Done)

    def test_who_it_hits_may_not_be_known(self, life: Life, world: World, faults: Faults) -> None:
        faults.deny("iam", "ListInstanceProfilesForRole")
        report = life.dry()
        assert "others that are not known" in str(reason_of(report.result))


class TestOddRoles:
    """Each is a result with a reason, and nothing else stops for it."""

    def run(self, scenario: Scenario, calls: Calls) -> StepReport:
        return Life(RevokeSessions(), scenario, calls, dict).run()

    def test_no_profile(self, scenario: Scenario, calls: Calls) -> None:
        result = self.run(scenario, calls).result
        assert result == Skipped(
            "the instance has no profile, so there are no sessions of its role"
        )

    def test_a_profile_without_a_role(self, scenario: Scenario, calls: Calls) -> None:
        make_profile(scenario, None)
        give(scenario)
        result = self.run(scenario, calls).result
        assert result == Skipped(f"{PROFILE} has no role, so there are no sessions")

    def test_a_profile_that_is_gone(self, scenario: Scenario, calls: Calls) -> None:
        make_profile(scenario, None)
        give(scenario)
        scenario.client("iam").delete_instance_profile(InstanceProfileName=PROFILE)
        result = self.run(scenario, calls).result
        assert isinstance(result, Skipped)
        assert result.incomplete
        assert "is gone" in result.reason

    @pytest.mark.parametrize(
        ("path", "why"),
        [
            ("/aws-service-role/spot.amazonaws.com/", "linked to the service"),
            ("/aws-reserved/sso.amazonaws.com/", "IAM Identity Center"),
        ],
    )
    def test_a_role_that_nobody_can_change(
        self, scenario: Scenario, calls: Calls, path: str, why: str
    ) -> None:
        make_role(scenario, path=path)
        make_profile(scenario)
        give(scenario)
        result = self.run(scenario, calls).result
        assert isinstance(result, Skipped)
        assert result.incomplete
        assert why in result.reason
        assert policies_of(scenario) == {}

    def test_no_room_for_an_inline_policy(self, world: World, calls: Calls) -> None:
        """It becomes a managed one, and says so."""
        fill(world.scenario)
        report = self.run(world.scenario, calls)
        assert isinstance(report.result, Done), reason_of(report.result)
        assert any("it is the managed policy" in note for note in report.notes)
        attached = world.scenario.client("iam").list_attached_role_policies(RoleName=ROLE)
        assert len(attached["AttachedPolicies"]) == 1

    def test_no_permission(self, world: World, calls: Calls, faults: Faults) -> None:
        faults.deny("iam", "PutRolePolicy")
        report = self.run(world.scenario, calls)
        assert isinstance(report.result, Failed)
        assert "AccessDenied" in str(reason_of(report.result))


def fill(scenario: Scenario) -> None:
    """Inline policies up to the quota of a role."""
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{'x' * 2_440}",
    }
    for number in range(4):
        scenario.client("iam").put_role_policy(
            RoleName=ROLE,
            PolicyName=f"own-{number}",
            PolicyDocument=deny_document.text({"Version": "2012-10-17", "Statement": [statement]}),
        )


def test_a_role_of_ones_own_is_not_denied_as_a_whole(
    world: World, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(RevokeSessions(role_wide=True), world.scenario, calls, dict)
    life.action = replace(life.action, role_wide=True)
    me = Identity("123456789012", f"arn:aws:sts::123456789012:assumed-role/{ROLE}/alice", "aws")
    monkeypatch.setattr(type(life.aws), "identity", me)
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "you would be cut off" in str(reason_of(report.result))
    assert list(policies_of(world.scenario)) == [NARROW.format(world.scenario.instance)]
