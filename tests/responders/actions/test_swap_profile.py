"""The instance's profile: swapped or removed, whatever it is called, and back on release."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract import CHANNEL_PROFILE, DARK_PROFILE
from lab.calls import Calls
from lab.faults import Faults
from responders.actions.swap_profile import SwapProfile
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.life import Life
from tests.responders.profiles import (
    PROFILE,
    give,
    make_profile,
    make_role,
    prepare_isolated,
    profile_of,
)


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    make_role(scenario)
    make_profile(scenario)
    give(scenario)
    prepare_isolated(scenario)
    return Life(SwapProfile(), scenario, calls, lambda: profile_of(scenario))


@pytest.mark.parametrize(
    ("kind", "wanted"), [("dark", DARK_PROFILE), ("channel", CHANNEL_PROFILE), ("none", None)]
)
def test_life(life: Life, scenario: Scenario, kind: str, wanted: str | None) -> None:
    life.action = replace(life.action, kind=kind)

    def done() -> None:
        assert profile_of(scenario) == wanted

    def outsider() -> str:
        ec2 = scenario.client("ec2")
        make_profile(scenario, None, "theirs")
        for association in ec2.describe_iam_instance_profile_associations()[
            "IamInstanceProfileAssociations"
        ]:
            ec2.disassociate_iam_instance_profile(AssociationId=association["AssociationId"])
        give(scenario, "theirs")
        return "profile"

    life.whole(done, drift=outsider)


def test_no_profile(scenario: Scenario, calls: Calls) -> None:
    report = Life(SwapProfile(), scenario, calls, dict).run()
    assert report.result == Skipped("the instance has no profile, so it has no role's credentials")


def test_what_cannot_be_swapped_is_removed(life: Life, scenario: Scenario, faults: Faults) -> None:
    """As without iam:PassRole."""
    faults.deny("ec2", "ReplaceIamInstanceProfileAssociation")
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert profile_of(scenario) is None
    assert any("removed, not swapped" in risk for risk in report.risks)
    faults.clear()
    life.restores(PROFILE)


def test_nothing_prepared(scenario: Scenario, calls: Calls) -> None:
    make_role(scenario)
    make_profile(scenario)
    give(scenario)
    report = Life(SwapProfile(), scenario, calls, dict).run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert profile_of(scenario) is None
    assert any("no isolated profile is prepared" in risk for risk in report.risks)


def test_a_lost_answer_is_looked_at(life: Life, scenario: Scenario, faults: Faults) -> None:
    faults.lose("ec2", "ReplaceIamInstanceProfileAssociation", times=1)
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert profile_of(scenario) == DARK_PROFILE
    assert report.risks == ()


def test_neither_is_allowed(life: Life, scenario: Scenario, faults: Faults) -> None:
    faults.deny("ec2", "ReplaceIamInstanceProfileAssociation")
    faults.deny("ec2", "DisassociateIamInstanceProfile")
    report = life.run()
    assert isinstance(report.result, Failed)
    assert profile_of(scenario) == PROFILE


def test_release_without_the_right_to_pass_the_role(
    life: Life, scenario: Scenario, faults: Faults
) -> None:
    """The responder role may not pass roles; another run with other credentials ends it."""
    life.run()
    faults.deny("ec2", "ReplaceIamInstanceProfileAssociation")
    report = life.release()
    assert report is not None
    assert "iam:PassRole" in str(reason_of(report.result))
    assert profile_of(scenario) == DARK_PROFILE
    faults.clear()
    again = life.release()
    assert again is not None
    assert isinstance(again.result, Done)
    assert profile_of(scenario) == PROFILE


def test_isolated_already(life: Life, scenario: Scenario) -> None:
    life.run()
    life.number += 1
    assert isinstance(life.run().result, AlreadyInPlace)
