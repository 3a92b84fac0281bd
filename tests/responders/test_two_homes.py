"""Two machines respond: neither undoes the other, and whoever releases knows what both did."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract import TAG_CASE, TAG_SOURCE, TAG_STATUS, snapshot_description
from lab.calls import Calls
from lab.faults import Faults
from lab.gate.call import Call
from responders.actions.snapshot import TakeSnapshots
from responders.record.case import Case
from responders.result import AlreadyInPlace, Done
from tests.responders.conftest import REGION, Answer, Cordon, Scenario
from tests.responders.life import Life
from tests.responders.workload import hurry

FAST = ("--region", REGION, "--tracking", "convert", "--dwell", "0", "--json", "--no-snapshot")
HERE = ("--case", "IR-7")


@pytest.fixture(autouse=True)
def _hurry(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    # The second machine's command runs in a thread here, where signals can't be heeded.
    monkeypatch.setattr("responders.cli.boundary._heed_signals", lambda: None)
    # `release` has no --region: a machine without a record begins to look where it is at home.
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def second(cordon: Cordon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cordon:
    """The same account from another machine."""

    def run(*words: str) -> Answer:
        with monkeypatch.context() as patch:
            patch.setenv("CORDON_HOME", str(tmp_path / "second"))
            return cordon(*words)

    return run


def isolated(scenario: Scenario) -> bool:
    return scenario.groups() == {eni: [scenario.isolate] for eni in scenario.enis}


def in_the_dwell(scenario: Scenario) -> Callable[[Call], bool]:
    return lambda call: call.params.get("Groups") == [scenario.untrack]


def contain(cordon: Cordon, scenario: Scenario, case: str = "IR-7") -> Answer:
    return cordon("instance", scenario.instance, "--case", case, *FAST)


def respond_meanwhile(
    scenario: Scenario, cordon: Cordon, second: Cordon, faults: Faults, case: str
) -> tuple[Answer, Answer]:
    """The second responds while the first has the untrack group on; both answers."""
    answers: list[Answer] = []

    def meanwhile(_call: Call) -> None:
        answers.append(contain(second, scenario, case))

    faults.after(
        "ec2", "ModifyNetworkInterfaceAttribute", meanwhile, only=in_the_dwell(scenario), times=1
    )
    first = contain(cordon, scenario)
    return first, answers[0]


class TestOneCase:
    """The second starts while the first has the untrack group on."""

    def test_release_from_the_second_restores_what_the_first_saw(
        self, scenario: Scenario, cordon: Cordon, second: Cordon, faults: Faults
    ) -> None:
        before = scenario.groups()
        respond_meanwhile(scenario, cordon, second, faults, "IR-7")
        assert isolated(scenario)
        released = second("release", scenario.instance, *HERE, "--json")
        assert (released.code, released.document["outcome"]) == (0, "released"), released.out
        assert scenario.groups() == before
        for machine in (cordon, second):
            machine("case", "sync", *HERE)
            assert machine("case", "verify", *HERE, "--json").document["faults"] == []

    def test_the_state_of_a_response_is_never_the_one_before(
        self, scenario: Scenario, cordon: Cordon, second: Cordon, faults: Faults, tmp_path: Path
    ) -> None:
        respond_meanwhile(scenario, cordon, second, faults, "IR-7")
        kit = {scenario.isolate, scenario.untrack}
        undo = {
            Path(home): _undo(Path(home), scenario.instance)
            for home in (scenario.lab.home, tmp_path / "second")
        }
        for steps in undo.values():
            groups = {
                g for state in steps.get("isolate-network", {}).values() for g in state["groups"]
            }
            assert not groups & kit
            tags = steps.get("tag", {}).values()
            assert all(state.get(TAG_STATUS) != "quarantined" for state in tags)

    def test_without_the_others_record_it_says_that_it_is_not_released(
        self, scenario: Scenario, cordon: Cordon, second: Cordon, faults: Faults, tmp_path: Path
    ) -> None:
        """The vault is away all the time: nobody knows of anybody."""
        faults.unreachable("s3", "*")
        faults.unreachable("ssm", "GetParameter")
        respond_meanwhile(scenario, cordon, second, faults, "IR-7")
        assert isolated(scenario)
        released = second("release", scenario.instance, *HERE, "--json")
        assert (released.code, released.document["outcome"]) == (1, "not-released"), released.out
        assert "does not say what was there before" in released.step("isolate-network")["reason"]
        assert isolated(scenario)

    def test_a_second_set_of_snapshots_is_not_taken(
        self, scenario: Scenario, cordon: Cordon, second: Cordon
    ) -> None:
        words = ("instance", scenario.instance, *HERE, *FAST[:-1])
        assert cordon(*words).code == 0
        snapshots = scenario.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
        assert second(*words).document["outcome"] == "already-contained"
        again = scenario.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
        assert len(again) == len(snapshots)

    def test_a_set_that_came_between_look_and_call_is_not_taken_again(
        self, scenario: Scenario, faults: Faults, calls: Calls
    ) -> None:
        """And one that came later still is named, and kept."""
        life = Life(TakeSnapshots(), scenario, calls, state=dict)
        looks: list[Call] = []

        def meanwhile(call: Call) -> None:
            looks.append(call)
            if len(looks) == 1:  # the answer to this look has nothing yet
                take_set(scenario)

        faults.after("ec2", "DescribeSnapshots", meanwhile, times=1)
        assert isinstance(life.run().result, Done)
        taken = [call for call in calls.mutating if call.operation == "CreateSnapshots"]
        assert [call.params["Description"].split("-")[1] for call in taken] == ["bob"]
        take_set(scenario)
        again = life.run()
        assert isinstance(again.result, Done | AlreadyInPlace), again
        assert any("is later than" in note for note in again.notes)
        sets = scenario.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
        assert len(sets) == 2

    def test_a_machine_without_a_record_fetches_it(
        self, scenario: Scenario, cordon: Cordon, second: Cordon
    ) -> None:
        before = scenario.groups()
        assert contain(cordon, scenario).code == 0
        assert "isolate-network" in second("case", "show", *HERE).out
        assert second("resume", *HERE, "--json").document["outcome"] == "nothing-to-resume"
        assert second("release", scenario.instance, *HERE).code == 0
        assert scenario.groups() == before
        faulty = cordon("case", "verify", *HERE, "--json").document["faults"]
        assert any("is in the vault and is missing on this machine" in line for line in faulty)

    def test_a_beginning_that_nobody_knew_of_is_named(
        self, scenario: Scenario, cordon: Cordon, second: Cordon, faults: Faults, tmp_path: Path
    ) -> None:
        assert contain(cordon, scenario).code == 0
        faults.deny("s3", "ListObjectVersions")
        contain(second, scenario)
        faults.clear()
        runs = tmp_path / "second/cases/IR-7"
        shutil.copytree(runs, scenario.lab.home / "cases/IR-7", dirs_exist_ok=True)
        verified = cordon("case", "verify", *HERE, "--local", "--json")
        assert verified.code == 1
        assert "two beginnings" in " ".join(verified.document["faults"])


class TestTwoCases:
    """Two cases on one instance at the same time."""

    def test_the_network_stays_closed_until_both_have_released(
        self, scenario: Scenario, cordon: Cordon, second: Cordon, faults: Faults
    ) -> None:
        before = scenario.groups()

        def meanwhile(_call: Call) -> None:
            assert contain(second, scenario, "IR-8").document["outcome"] == "contained"

        # Both have seen the groups of before, and neither has changed anything.
        faults.before("ec2", "ModifyNetworkInterfaceAttribute", meanwhile, times=1)
        first = contain(cordon, scenario)
        assert first.document["outcome"] in ("contained", "already-contained")
        assert isolated(scenario)
        last = scenario.tags(scenario.instance)[TAG_CASE]
        order = [(second, "IR-8"), (cordon, "IR-7")]
        if last == "IR-7":
            order.reverse()
        (one, its_case), (other, other_case) = order
        held = one("release", scenario.instance, "--case", its_case, "--json")
        assert (held.code, held.document["outcome"]) == (3, "still-held"), held.out
        assert isolated(scenario)
        tags = scenario.tags(scenario.instance)
        assert (tags[TAG_CASE], tags[TAG_STATUS]) == (other_case, "quarantined")
        freed = other("release", scenario.instance, "--case", other_case, "--json")
        assert freed.document["outcome"] == "released", freed.out
        assert scenario.groups() == before

    def test_others_at_work_keep_a_release_back(
        self, scenario: Scenario, cordon: Cordon, second: Cordon, faults: Faults
    ) -> None:
        assert contain(cordon, scenario).code == 0
        answers: list[Answer] = []

        def meanwhile(_call: Call) -> None:
            answers.append(cordon("release", scenario.instance, *HERE, "--json"))

        faults.before("ec2", "CreateTags", meanwhile, times=1)
        contain(second, scenario, "IR-8")
        assert answers[0].code == 2
        assert isolated(scenario)


def take_set(scenario: Scenario) -> None:
    """As another responder of the same case does."""
    tags = {TAG_CASE: "IR-7", TAG_STATUS: "evidence", TAG_SOURCE: scenario.instance}
    scenario.client("ec2").create_snapshots(
        InstanceSpecification={"InstanceId": scenario.instance},
        Description=snapshot_description("bob", datetime.now(UTC).date(), "IR-7"),
        TagSpecifications=[
            {
                "ResourceType": "snapshot",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
    )


def _undo(home: Path, target: str) -> dict[str, dict[str, dict[str, list[str]]]]:
    case = Case("IR-7")
    case.folder = home / "cases" / "IR-7"
    return {step: undo.before for step, undo in case.undo_record(target).items()}
