"""One crash-consistent set, tagged at creation, taken once per case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contract import TAG_CASE, TAG_SOURCE, TAG_STATUS
from lab.calls import Calls
from lab.faults import Faults
from lab.gate.call import Call
from responders.actions.snapshot import TakeSnapshots
from responders.result import AlreadyInPlace, Done, Failed, Skipped, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import add_volumes, devices, snapshots, stage, tags_of
from tests.responders.life import Life


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    add_volumes(scenario, 2)
    calls.clear()
    return Life(TakeSnapshots(), scenario, calls, lambda: snapshots(scenario), reversible=False)


def test_life(scenario: Scenario, life: Life) -> None:
    def done() -> None:
        made = snapshots(scenario, life.case)
        assert {s["VolumeId"] for s in made} == set(devices(scenario))
        today = datetime.now(UTC).date().isoformat()
        assert {s["Description"] for s in made} == {f"IR-alice-{today}-{life.case}"}
        for snapshot in made:
            volume = snapshot["VolumeId"]
            tags = tags_of(snapshot)
            assert tags[TAG_CASE] == life.case
            assert tags[TAG_STATUS] == "evidence"
            assert tags[TAG_SOURCE] == (f"{scenario.instance}/{devices(scenario)[volume]}/{volume}")

    life.whole(done)


def test_is_one_set_with_its_tags_at_creation(life: Life, calls: Calls, scenario: Scenario) -> None:
    life.run()
    (call,) = calls.of("ec2", "CreateSnapshots")
    assert call.params["InstanceSpecification"] == {"InstanceId": scenario.instance}
    assert call.params["CopyTagsFromSource"] == "volume"
    (spec,) = call.params["TagSpecifications"]
    assert spec["ResourceType"] == "snapshot"
    assert {t["Key"]: t["Value"] for t in spec["Tags"]} == {
        TAG_CASE: "IR-7",
        TAG_STATUS: "evidence",
        TAG_SOURCE: scenario.instance,
    }


def test_volume_tags_are_carried_over(life: Life, scenario: Scenario) -> None:
    volume = next(iter(devices(scenario)))
    scenario.client("ec2").create_tags(
        Resources=[volume],
        Tags=[{"Key": "Team", "Value": "web"}, {"Key": TAG_STATUS, "Value": "quarantined"}],
    )
    life.run()
    made = next(s for s in snapshots(scenario) if s["VolumeId"] == volume)
    assert tags_of(made)["Team"] == "web"
    assert tags_of(made)[TAG_STATUS] == "evidence"


def copies_tags(call: Call) -> bool:
    return "CopyTagsFromSource" in call.params


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("TagLimitExceeded", "The maximum number of Tags for a resource has been reached."),
        ("TagPolicyViolation", "The tag policy does not allow the value of 'Environment'."),
        ("InvalidParameterValue", "Duplicate tag key 'cordon:case' specified."),
        ("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"),
        ("UnauthorizedOperation", "You are not authorized to perform this operation."),
    ],
)
def test_volume_tags_that_are_refused_cost_no_snapshot(
    life: Life, scenario: Scenario, faults: Faults, calls: Calls, code: str, message: str
) -> None:
    faults.fail("ec2", "CreateSnapshots", code, message, only=copies_tags)
    report = life.run()
    assert isinstance(report.result, Done)
    assert message in " ".join(report.notes)
    assert len(calls.of("ec2", "CreateSnapshots")) == 2
    assert "CopyTagsFromSource" not in calls.of("ec2", "CreateSnapshots")[-1].params
    assert len(snapshots(scenario, "IR-7")) == 3


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("number", [0, 1], ids=["root", "data"])
def test_one_volume_that_can_t_be_snapshot_costs_no_other(
    life: Life, scenario: Scenario, faults: Faults, calls: Calls, number: int, is_named: bool
) -> None:
    by_device = sorted(devices(scenario), key=lambda volume: devices(scenario)[volume])
    bad = by_device[number]

    def is_in_the_set(call: Call) -> bool:
        specification = call.params["InstanceSpecification"]
        if number == 0:
            return not specification.get("ExcludeBootVolume")
        return bad not in specification.get("ExcludeDataVolumeIds", ())

    message = f"Volume {bad} is in a bad state." if is_named else "A volume is in a bad state."
    faults.fail("ec2", "CreateSnapshots", "IncorrectState", message, only=is_in_the_set)
    report = life.run()
    assert isinstance(report.result, Failed)
    assert f"{bad} has no snapshot" in reason_of(report.result)
    assert f"{bad} could not be snapshot" in reason_of(report.result)
    assert bad in " ".join(report.risks)
    taken = [call for call in calls.of("ec2", "CreateSnapshots") if not call.error]
    assert len(taken) == 1  # the others are of one moment
    assert {s["VolumeId"] for s in snapshots(scenario, "IR-7")} == set(by_device) - {bad}
    faults.clear()
    assert isinstance(life.run().result, Done)


def test_volumes_that_fail_together_are_snapshot_one_by_one(
    life: Life, scenario: Scenario, faults: Faults
) -> None:
    def is_of_several(call: Call) -> bool:
        specification = call.params["InstanceSpecification"]
        excluded = [*specification.get("ExcludeDataVolumeIds", ())]
        return len(excluded) + bool(specification.get("ExcludeBootVolume")) < 2

    faults.fail(
        "ec2", "CreateSnapshots", "SnapshotCreationPerVolumeRateExceeded", only=is_of_several
    )
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert "one by one" in " ".join(report.risks)
    assert {s["VolumeId"] for s in snapshots(scenario, "IR-7")} == set(devices(scenario))


def test_a_failure_of_ec2_itself_is_not_tried_in_parts(
    life: Life, faults: Faults, calls: Calls
) -> None:
    faults.fail("ec2", "CreateSnapshots", "InternalError", status=500)
    assert isinstance(life.run().result, Failed)
    assert len(calls.of("ec2", "CreateSnapshots")) == 1


def test_a_volume_attached_since_gets_its_own(life: Life, scenario: Scenario, calls: Calls) -> None:
    life.run()
    before = {s["SnapshotId"] for s in snapshots(scenario)}
    ec2 = scenario.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=10)["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=scenario.instance, Device="/dev/sdz")
    calls.clear()
    assert isinstance(life.run().result, Done)
    made = [s for s in snapshots(scenario) if s["SnapshotId"] not in before]
    assert [s["VolumeId"] for s in made] == [volume]
    (call,) = calls.of("ec2", "CreateSnapshots")
    spec = call.params["InstanceSpecification"]
    assert spec["ExcludeBootVolume"] is True
    assert len(spec["ExcludeDataVolumeIds"]) == 2


def test_a_failed_snapshot_is_taken_again(life: Life, scenario: Scenario) -> None:
    life.run()
    first = snapshots(scenario)[0]
    stage(scenario, first["SnapshotId"], "error")
    assert isinstance(life.run().result, Done)
    again = [s for s in snapshots(scenario) if s["VolumeId"] == first["VolumeId"]]
    assert sorted(s["State"] for s in again) == ["completed", "error"]


def test_a_planted_snapshot_does_not_count(life: Life, scenario: Scenario) -> None:
    ec2 = scenario.client("ec2")
    planted = set()
    for volume in devices(scenario):
        made = ec2.create_snapshot(
            VolumeId=volume,
            Description="backup",
            TagSpecifications=[
                {
                    "ResourceType": "snapshot",
                    "Tags": [
                        {"Key": TAG_CASE, "Value": "IR-7"},
                        {"Key": TAG_STATUS, "Value": "evidence"},
                        {"Key": TAG_SOURCE, "Value": f"{scenario.instance}/x/{volume}"},
                    ],
                }
            ],
        )
        planted.add(made["SnapshotId"])
    report = life.run()
    assert isinstance(report.result, Done)
    assert all(any(p in note for note in report.notes) for p in planted)
    assert len(snapshots(scenario)) == 6
    assert isinstance(life.run().result, AlreadyInPlace)


def test_a_lost_answer_loses_no_snapshot(life: Life, scenario: Scenario, faults: Faults) -> None:
    faults.lose("ec2", "CreateSnapshots")
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    assert "though a call failed" in reason_of(report.result)
    assert sorted(s["VolumeId"] for s in snapshots(scenario)) == sorted(devices(scenario))


@pytest.mark.parametrize("operation", ["CreateSnapshots", "CreateTags", "DescribeSnapshots"])
def test_denied_is_a_failure(life: Life, faults: Faults, operation: str) -> None:
    faults.deny("ec2", operation)
    report = life.run()
    assert isinstance(report.result, Failed)
    assert "UnauthorizedOperation" in reason_of(report.result)


def test_tags_denied_are_added_by_the_next_run(
    life: Life, scenario: Scenario, faults: Faults, calls: Calls
) -> None:
    faults.deny("ec2", "CreateTags")
    assert isinstance(life.run().result, Failed)
    faults.clear()
    calls.clear()
    assert isinstance(life.run().result, Done)
    assert calls.of("ec2", "CreateSnapshots") == []
    assert all(tags_of(s)[TAG_SOURCE].count("/") > 1 for s in snapshots(scenario))


def test_throttled_is_tried_again(life: Life, scenario: Scenario, faults: Faults) -> None:
    faults.throttle("ec2", "CreateSnapshots", times=2)
    assert isinstance(life.run().result, Done)
    assert len(snapshots(scenario)) == 3


def test_no_volume_is_nothing_to_snapshot(scenario: Scenario, life: Life) -> None:
    ec2 = scenario.client("ec2")
    ec2.stop_instances(InstanceIds=[scenario.instance])
    for volume in devices(scenario):
        ec2.detach_volume(VolumeId=volume, InstanceId=scenario.instance)
    report = life.run()
    assert isinstance(report.result, Skipped)
    assert not report.result.incomplete


def test_release_keeps_them_though_the_instance_is_gone(scenario: Scenario, life: Life) -> None:
    life.run()
    before = snapshots(scenario)
    scenario.client("ec2").terminate_instances(InstanceIds=[scenario.instance])
    report = life.release()
    assert report is not None
    assert isinstance(report.result, Skipped)
    assert "stay" in report.result.reason
    assert snapshots(scenario) == before
