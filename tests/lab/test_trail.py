"""CloudTrail in the lab: what is recorded, in CloudTrail's shape, and how it is looked up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from lab.mended import FAULTS, TRAIL
from lab.trail.trail import Trail
from tests.conftest import AwsLab
from tests.lab.mend_cases.account import Account, scene, user_keys


@pytest.fixture(params=["aws_lab", "lab_server"])
def lab(request: pytest.FixtureRequest) -> Iterator[AwsLab]:
    yield request.getfixturevalue(request.param)
    TRAIL.limit(None)


def names(lab: AwsLab, region: str = "us-east-1", **lookup: Any) -> list[str]:
    answer = lab.client("cloudtrail", region).lookup_events(**lookup)
    return [e["EventName"] for e in answer["Events"]]


def by(key: str, value: str) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


def record(lab: AwsLab, name: str, region: str = "us-east-1") -> dict[str, Any]:
    found = lab.client("cloudtrail", region).lookup_events(**by("EventName", name))["Events"]
    shown: dict[str, Any] = json.loads(found[0]["CloudTrailEvent"])
    return shown


def test_a_launch_is_recorded_as_cloudtrail_does(lab: AwsLab) -> None:
    made = scene(Account(lab.endpoint))
    event = record(lab, "RunInstances")
    assert event["eventSource"] == "ec2.amazonaws.com"
    assert event["awsRegion"] == "us-east-1"
    assert event["readOnly"] is False
    assert datetime.now(UTC) - datetime.fromisoformat(event["eventTime"]) < timedelta(minutes=1)
    assert event["eventTime"].endswith("Z")
    asked = event["requestParameters"]
    assert asked["instancesSet"] == {
        "items": [{"imageId": "ami-12345678", "minCount": 1, "maxCount": 1}]
    }
    assert asked["networkInterfaceSet"]["items"][0]["groupSet"] == {
        "items": [{"groupId": made.app}]
    }
    items = event["responseElements"]["instancesSet"]["items"]
    assert [i["instanceId"] for i in items] == [made.instance]
    assert items[0]["instanceState"] == {"code": 0, "name": "pending"}
    assert isinstance(items[0]["launchTime"], int)
    event = record(lab, "CreateSecurityGroup")
    assert event["responseElements"]["groupId"] == made.iso
    assert event["requestParameters"]["groupDescription"] == "iso"
    assert record(lab, "CreateVpc")["responseElements"]["vpc"]["vpcId"] == made.vpc


def test_who_called_with_which_key(lab: AwsLab) -> None:
    account = Account(lab.endpoint)
    keys = user_keys(account)
    sts = account.client("sts", **keys)
    minted = sts.get_session_token()["Credentials"]
    account.client(
        "ec2",
        "eu-west-1",
        aws_access_key_id=minted["AccessKeyId"],
        aws_secret_access_key=minted["SecretAccessKey"],
        aws_session_token=minted["SessionToken"],
    ).create_vpc(CidrBlock="10.0.0.0/16")
    key = keys["aws_access_key_id"]
    assert names(lab, **by("AccessKeyId", key)) == ["GetSessionToken"]
    event = record(lab, "GetSessionToken")
    assert event["userIdentity"]["type"] == "IAMUser"
    assert event["userIdentity"]["userName"] == "alice"
    assert event["userIdentity"]["accessKeyId"] == key
    credentials = event["responseElements"]["credentials"]
    assert credentials["accessKeyId"] == minted["AccessKeyId"]
    assert "secretAccessKey" not in credentials
    assert names(lab, "eu-west-1", **by("AccessKeyId", minted["AccessKeyId"])) == ["CreateVpc"]
    assert names(lab, "eu-west-1", **by("Username", "alice")) == ["CreateVpc"]
    context = record(lab, "CreateVpc", "eu-west-1")["userIdentity"]["sessionContext"]
    assert context["attributes"]["mfaAuthenticated"] == "false"
    created = record(lab, "CreateAccessKey")["responseElements"]["accessKey"]
    assert created["accessKeyId"] == key
    assert "secretAccessKey" not in created
    assert names(lab, **by("ResourceName", key)) == ["CreateAccessKey"]


def test_a_role_session_names_its_issuer_and_both_accounts_know(lab: AwsLab) -> None:
    account = Account(lab.endpoint)
    iam = account.client("iam")
    role = iam.create_role(RoleName="app", Path="/service/", AssumeRolePolicyDocument="{}")["Role"]

    def assume(arn: str) -> Any:
        minted = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="visit")
        return account.client(
            "ec2",
            aws_access_key_id=minted["Credentials"]["AccessKeyId"],
            aws_secret_access_key=minted["Credentials"]["SecretAccessKey"],
            aws_session_token=minted["Credentials"]["SessionToken"],
        )

    assume(role["Arn"]).create_vpc(CidrBlock="10.0.0.0/16")
    identity = record(lab, "CreateVpc")["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"].endswith(":assumed-role/app/visit")
    assert identity["sessionContext"]["sessionIssuer"] == {
        "type": "Role",
        "principalId": role["RoleId"],
        "arn": role["Arn"],
        "accountId": role["Arn"].split(":")[4],
        "userName": "app",
    }
    assert names(lab, **by("ResourceName", role["Arn"])) == ["AssumeRole"]
    other = assume("arn:aws:iam::444455556666:role/visitor")
    other.describe_vpcs()
    theirs = TRAIL.records("us-east-1", "444455556666")
    assert [r["eventName"] for r in theirs] == ["AssumeRole", "DescribeVpcs"]
    assert theirs[0]["userIdentity"]["type"] == "AWSAccount"
    assert theirs[0]["recipientAccountId"] == "444455556666"


def test_denied_and_failed_calls_are_attempts(lab: AwsLab) -> None:
    FAULTS.deny("ec2", "CreateVpc")
    FAULTS.deny("iam", "CreateUser")
    ec2, iam = lab.client("ec2"), lab.client("iam")
    for call in (
        lambda: ec2.create_vpc(CidrBlock="10.0.0.0/16"),
        lambda: iam.create_user(UserName="mallory"),
        lambda: iam.delete_user(UserName="nobody"),
    ):
        with pytest.raises(ClientError):
            call()
    event = record(lab, "CreateVpc")
    assert event["errorCode"] == "Client.UnauthorizedOperation"
    assert event["responseElements"] is None
    assert event["requestParameters"] == {"cidrBlock": "10.0.0.0/16"}
    event = record(lab, "CreateUser")
    assert (event["errorCode"], event["requestParameters"]) == ("AccessDenied", None)
    assert record(lab, "DeleteUser")["errorCode"] == "NoSuchEntityException"


def test_reads_are_recorded_and_data_events_are_not(lab: AwsLab) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="evidence")
    s3.put_object(Bucket="evidence", Key="k", Body=b"x")
    s3.get_object(Bucket="evidence", Key="k")
    s3.list_objects_v2(Bucket="evidence")
    s3.get_bucket_versioning(Bucket="evidence")
    assert names(lab) == ["GetBucketVersioning", "CreateBucket"]
    assert names(lab, **by("ReadOnly", "false")) == ["CreateBucket"]
    assert record(lab, "CreateBucket")["requestParameters"]["bucketName"] == "evidence"
    assert names(lab, **by("ResourceType", "AWS::S3::Bucket"))[-1] == "CreateBucket"


def test_secrets_are_not_in_the_records(lab: AwsLab) -> None:
    lab.client("ssm").put_parameter(Name="/db", Value="hunter2", Type="SecureString")
    lab.client("iam").create_user(UserName="alice")
    lab.client("iam").create_login_profile(UserName="alice", Password="hunter2")
    lab.client("ec2").create_key_pair(KeyName="k")
    lab.client("ec2").run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, UserData="#!/bin/sh\necho hunter2"
    )
    text = json.dumps(TRAIL.records("us-east-1"))
    assert "CreateLoginProfile" in text
    assert "hunter2" not in text
    assert "PRIVATE KEY" not in text


def test_global_services_are_recorded_in_one_region(lab: AwsLab) -> None:
    lab.client("iam", "eu-west-1").create_user(UserName="alice")
    lab.client("sts", "eu-west-1").get_caller_identity()
    assert names(lab, "us-east-1", **by("EventSource", "iam.amazonaws.com")) == ["CreateUser"]
    assert names(lab, "eu-west-1") == ["GetCallerIdentity"]


def planted(count: int, **more: Any) -> list[dict[str, Any]]:
    start = datetime.now(UTC) - timedelta(days=30)
    return [
        {
            "eventTime": f"{start + timedelta(seconds=n // 3):%Y-%m-%dT%H:%M:%SZ}",
            "eventName": f"Event{n}",
            "eventSource": "ec2.amazonaws.com",
            "awsRegion": "eu-west-1",
            "userIdentity": {"type": "IAMUser", "accessKeyId": "AKIAEXAMPLE", "userName": "alice"},
            **more,
        }
        for n in range(count)
    ]


def test_pages_are_whole_newest_first_and_lose_nothing_while_more_comes(lab: AwsLab) -> None:
    events = planted(125)
    TRAIL.plant(*reversed(events))
    client = lab.client("cloudtrail", "eu-west-1")
    asked, seen, pages = by("AccessKeyId", "AKIAEXAMPLE"), [], []
    token: dict[str, str] = {}
    while True:
        answer = client.lookup_events(**asked, **token)
        pages.append(len(answer["Events"]))
        seen += answer["Events"]
        TRAIL.plant({**events[-1], "eventName": "Later", "eventTime": "2040-01-01T00:00:00Z"})
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert pages == [50, 50, 25]
    assert {e["EventName"] for e in seen} == {e["eventName"] for e in events}
    times = [e["EventTime"] for e in seen]
    assert times == sorted(times, reverse=True)
    with pytest.raises(ClientError, match="InvalidNextTokenException"):
        client.lookup_events(**by("Username", "alice"), **token)


def test_windows_of_time(lab: AwsLab) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
    old = datetime.now(UTC) - timedelta(days=91)
    TRAIL.plant(*planted(1, eventName="In", eventTime=f"{at:%Y-%m-%dT%H:%M:%SZ}"))
    TRAIL.plant(*planted(1, eventName="TooOld", eventTime=f"{old:%Y-%m-%dT%H:%M:%SZ}"))

    def seen(start: datetime, end: datetime) -> list[str]:
        return names(lab, "eu-west-1", StartTime=start, EndTime=end)

    second = timedelta(seconds=1)
    assert seen(at, at) == ["In"]
    assert seen(at + second, at + 9 * second) == []
    assert seen(at - 9 * second, at - second) == []
    assert seen(old - second, at) == ["In"]
    with pytest.raises(ClientError, match="InvalidTimeRangeException"):
        seen(at, at - second)


@pytest.mark.parametrize(
    ("lookup", "code"),
    [
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"NextToken": "what"}, "InvalidNextTokenException"),
        (
            {"LookupAttributes": by("Username", "a")["LookupAttributes"] * 2},
            "InvalidLookupAttributesException",
        ),
    ],
)
def test_bad_questions_are_refused(lab: AwsLab, lookup: dict[str, Any], code: str) -> None:
    client = boto3.client(
        "cloudtrail",
        "us-east-1",
        endpoint_url=lab.endpoint,
        config=Config(parameter_validation=False),
    )
    with pytest.raises(ClientError, match=code):
        client.lookup_events(**lookup)


def test_two_a_second_in_each_region(aws_lab: AwsLab, trail: Trail) -> None:
    trail.limit(2)
    once = Config(retries={"total_max_attempts": 1})
    clients = [boto3.client("cloudtrail", r, config=once) for r in ("eu-west-1", "us-east-1")]
    for client in clients:
        client.lookup_events()
        client.lookup_events()
        with pytest.raises(ClientError, match="ThrottlingException"):
            client.lookup_events()


def test_a_lost_answer_is_recorded_if_the_call_was_done(lab: AwsLab) -> None:
    FAULTS.lose("ec2", "CreateVpc")
    FAULTS.unreachable("ec2", "CreateSubnet")
    once = Config(retries={"total_max_attempts": 1})
    ec2 = boto3.client("ec2", "us-east-1", endpoint_url=lab.endpoint, config=once)
    with pytest.raises(ConnectionClosedError):
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    with pytest.raises(ConnectionClosedError):
        ec2.create_subnet(VpcId="vpc-1", CidrBlock="10.0.0.0/24")
    assert names(lab) == ["CreateVpc"]
