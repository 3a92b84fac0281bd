"""The record: every part a file in the case, each may fail alone, nothing in AWS changes."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.calls import Calls
from lab.faults import Faults
from lab.mends.managed_instances import set_agent
from responders.actions.record_instance import Record
from responders.actions.record_parts import PARTS
from responders.result import AlreadyInPlace, Done, Failed, Planned, reason_of
from tests.responders.conftest import Scenario
from tests.responders.evidence import ACCOUNT
from tests.responders.life import Life


@pytest.fixture
def life(scenario: Scenario, calls: Calls) -> Life:
    return Life(Record(), scenario, calls, dict, reversible=False)


def files(scenario: Scenario, case: str = "IR-7") -> dict[str, Path]:
    folder = scenario.lab.home / "cases" / case
    return {p.name: p for p in folder.rglob(f"evidence/{scenario.instance}/*")}


def saved(scenario: Scenario, part: str) -> Any:
    return json.loads(files(scenario)[part].read_bytes())


def test_life(scenario: Scenario, life: Life, calls: Calls) -> None:
    assert isinstance(life.dry().result, Planned)
    report = life.run()
    assert isinstance(report.result, Done), reason_of(report.result)
    names = set(files(scenario))
    assert all(part in names or f"{part}.absent.txt" in names for part in PARTS)
    assert isinstance(life.run().result, AlreadyInPlace)
    released = life.release()
    assert released is not None
    assert isinstance(released.result, AlreadyInPlace)
    assert calls.mutating == []


def test_whole_life(scenario: Scenario, life: Life) -> None:
    def done() -> None:
        names = set(files(scenario, life.case))
        assert all(part in names or f"{part}.absent.txt" in names for part in PARTS)

    life.whole(done)


def test_what_is_written_is_what_aws_said(scenario: Scenario, life: Life) -> None:
    ec2 = scenario.client("ec2")
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    ec2.create_tags(Resources=[volume], Tags=[{"Key": "Team", "Value": "web"}])
    life.run()
    assert saved(scenario, "instance.json")["InstanceId"] == scenario.instance
    assert [i["NetworkInterfaceId"] for i in saved(scenario, "interfaces.json")] == list(
        scenario.enis
    )
    assert scenario.app_group in {g["GroupId"] for g in saved(scenario, "groups.json")}
    assert [v["VolumeId"] for v in saved(scenario, "volumes.json")] == [volume]
    assert {"Team", "Environment"} <= {t["Key"] for t in saved(scenario, "tags.json")}
    (main,) = saved(scenario, "routes.json")["main"]
    assert main["VpcId"] == scenario.vpc
    assert [a["VpcId"] for a in saved(scenario, "network-acls.json")] == [scenario.vpc]
    assert files(scenario)["user-data.bin"].read_bytes() == b"#!/bin/sh\necho hello\n"
    assert b"Linux version" in files(scenario)["console-output.txt"].read_bytes()
    assert files(scenario)["screenshot.jpg"].read_bytes().startswith(b"\xff\xd8")


def test_what_is_not_there_is_said(scenario: Scenario, life: Life) -> None:
    report = life.run()
    names = files(scenario)
    assert "no instance profile" in names["profile.json.absent.txt"].read_text()
    assert "not launched from" in names["launch-template.json.absent.txt"].read_text()
    assert "deregistered" in names["image.json.absent.txt"].read_text()
    assert any("no flow log" in note for note in report.notes)


def test_a_flow_log_is_recorded(scenario: Scenario, life: Life) -> None:
    scenario.client("s3").create_bucket(
        Bucket="example-flow-logs",
        CreateBucketConfiguration={"LocationConstraint": scenario.region},
    )
    scenario.client("ec2").create_flow_logs(
        ResourceIds=[scenario.vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::example-flow-logs",
    )
    report = life.run()
    (log,) = saved(scenario, "flow-logs.json")
    assert log["ResourceId"] == scenario.vpc
    assert not any("no flow log" in note for note in report.notes)


def test_a_launch_template_is_recorded(scenario: Scenario, life: Life) -> None:
    ec2 = scenario.client("ec2")
    data = {"UserData": base64.b64encode(b"#!/bin/sh\n").decode(), "InstanceType": "t3.micro"}
    template = ec2.create_launch_template(LaunchTemplateName="app", LaunchTemplateData=data)
    ident = template["LaunchTemplate"]["LaunchTemplateId"]
    ec2.create_tags(
        Resources=[scenario.instance],
        Tags=[
            {"Key": "aws:ec2launchtemplate:id", "Value": ident},
            {"Key": "aws:ec2launchtemplate:version", "Value": "1"},
        ],
    )
    life.run()
    (version,) = saved(scenario, "launch-template.json")
    assert version["LaunchTemplateData"]["InstanceType"] == "t3.micro"


def test_the_role_behind_a_profile_of_another_name_and_path(scenario: Scenario, life: Life) -> None:
    iam = scenario.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.create_role(RoleName="web-role", Path="/service-role/", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="web-role", PolicyName="inline", PolicyDocument=policy)
    managed = iam.create_policy(PolicyName="managed", PolicyDocument=policy)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="web-role", PolicyArn=managed)
    iam.create_instance_profile(InstanceProfileName="web-profile", Path="/service-role/")
    iam.add_role_to_instance_profile(InstanceProfileName="web-profile", RoleName="web-role")
    scenario.client("ec2").associate_iam_instance_profile(
        InstanceId=scenario.instance, IamInstanceProfile={"Name": "web-profile"}
    )
    life.run()
    (role,) = saved(scenario, "profile.json")["Roles"]
    assert role["Role"]["RoleName"] == "web-role"
    assert role["Policies"]["inline"]["inline"]["Statement"] == [allow]
    assert role["Policies"]["attached"][managed]["Statement"] == [allow]


DENIED = {
    "image.json": ("ec2", "DescribeImages"),
    "user-data.bin": ("ec2", "DescribeInstanceAttribute"),
    "console-output.txt": ("ec2", "GetConsoleOutput"),
    "screenshot.jpg": ("ec2", "GetConsoleScreenshot"),
    "groups.json": ("ec2", "DescribeSecurityGroups"),
    "routes.json": ("ec2", "DescribeRouteTables"),
    "network-acls.json": ("ec2", "DescribeNetworkAcls"),
    "flow-logs.json": ("ec2", "DescribeFlowLogs"),
    "tags.json": ("ec2", "DescribeTags"),
    "volumes.json": ("ec2", "DescribeVolumes"),
    "role-events.json": ("cloudtrail", "LookupEvents"),
    "inventory.json": ("ssm", "DescribeInstanceInformation"),
}


def test_each_part_may_fail_alone(scenario: Scenario, life: Life, faults: Faults) -> None:
    for part, call in DENIED.items():
        faults.deny(*call)
        report = life.run()
        assert isinstance(report.result, Failed), part
        assert f"left undone: {part} is not saved" in reason_of(report.result)
        assert reason_of(report.result).count("left undone") == 1
        names = set(files(scenario, life.case))
        assert all(p in names or f"{p}.absent.txt" in names for p in set(PARTS) - {part})
        faults.clear()
        assert isinstance(life.run().result, Done), part
        life.number += 1


def test_an_old_machine_gives_its_buffered_console(
    scenario: Scenario, life: Life, faults: Faults
) -> None:
    faults.fail("ec2", "GetConsoleOutput", "UnsupportedOperation", times=1)
    report = life.run()
    assert isinstance(report.result, Done)
    assert any("buffered" in note for note in report.notes)
    assert b"Linux version" in files(scenario)["console-output.txt"].read_bytes()


def test_the_calls_of_its_role_session_are_recorded(scenario: Scenario, life: Life) -> None:
    iam, sts = scenario.client("iam"), scenario.client("sts")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=role, RoleSessionName=scenario.instance)["Credentials"]
    session = boto3.client(
        "ec2",
        region_name=scenario.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    session.describe_key_pairs()
    session.create_key_pair(KeyName="backdoor")
    life.run()
    events = saved(scenario, "role-events.json")
    assert {"CreateKeyPair", "DescribeKeyPairs"} <= {e["EventName"] for e in events}
    assert {e["Username"] for e in events} == {scenario.instance}


def test_its_software_is_recorded_where_an_agent_told_it(scenario: Scenario, life: Life) -> None:
    life.run()
    assert "no Systems Manager agent" in files(scenario)["inventory.json.absent.txt"].read_text()
    set_agent(ACCOUNT, scenario.region, scenario.instance)
    life.number += 1
    life.run()
    inventory = json.loads(files(scenario, "IR-8")["inventory.json"].read_bytes())
    assert inventory["AWS:Application"] == [{"Name": "openssh-server", "Version": "9.6"}]
