"""Misfortune and the record of calls, under `mock_aws` and through the server alike."""

from __future__ import annotations

import time
from collections.abc import Iterator

import boto3
import botocore.exceptions
import botocore.parsers
import pytest
from botocore.config import Config

from lab.mended import CALLS, FAULTS
from tests.conftest import AwsLab


@pytest.fixture(params=["aws_lab", "lab_server"])
def lab(request: pytest.FixtureRequest) -> Iterator[AwsLab]:
    return request.getfixturevalue(request.param)


def once(lab: AwsLab, service: str, region: str = "us-east-1") -> object:
    """A client that tries only once."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=2)
    return boto3.client(service, region, endpoint_url=lab.endpoint, config=config)


def vpcs(lab: AwsLab, region: str = "us-east-1") -> int:
    return len(lab.client("ec2", region).describe_vpcs()["Vpcs"])


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code", "status"),
    [
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, "UnauthorizedOperation", 403),
        ("iam", "create_user", {"UserName": "alice"}, "AccessDenied", 403),
        ("ssm", "get_parameter", {"Name": "/x"}, "AccessDeniedException", 400),
        ("s3", "create_bucket", {"Bucket": "evidence"}, "AccessDenied", 403),
        ("autoscaling", "describe_auto_scaling_groups", {}, "AccessDenied", 403),
    ],
)
def test_denied_in_the_words_of_the_service(
    lab: AwsLab, service: str, operation: str, arguments: dict[str, str], code: str, status: int
) -> None:
    FAULTS.deny(service)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        getattr(lab.client(service), operation)(**arguments)
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert "is not authorized to perform: " in str(error.value)
    assert [seen.error for seen in CALLS] == [code]


def test_a_denied_call_changes_nothing(lab: AwsLab) -> None:
    before = vpcs(lab)
    FAULTS.deny("ec2", "CreateVpc")
    with pytest.raises(botocore.exceptions.ClientError):
        lab.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert vpcs(lab) == before


def test_throttled_so_many_times_and_in_one_region_only(lab: AwsLab) -> None:
    FAULTS.throttle("ec2", "Describe*", region="eu-west-1", times=1)
    assert vpcs(lab) == 1
    with pytest.raises(botocore.exceptions.ClientError, match="RequestLimitExceeded"):
        once(lab, "ec2", "eu-west-1").describe_vpcs()  # type: ignore[attr-defined]
    assert vpcs(lab, "eu-west-1") == 1
    assert FAULTS.struck == 1


def test_a_lost_answer_leaves_the_change_done(lab: AwsLab) -> None:
    before = vpcs(lab)
    FAULTS.lose("ec2", "CreateVpc")
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        once(lab, "ec2").create_vpc(CidrBlock="10.0.0.0/16")  # type: ignore[attr-defined]
    assert vpcs(lab) == before + 1
    assert [s.error for s in CALLS.of("ec2", "CreateVpc")] == ["lost"]


def test_an_unreachable_service_changes_nothing(lab: AwsLab) -> None:
    before = vpcs(lab)
    FAULTS.unreachable("ec2", "CreateVpc")
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        once(lab, "ec2").create_vpc(CidrBlock="10.0.0.0/16")  # type: ignore[attr-defined]
    assert vpcs(lab) == before


def test_a_call_that_hangs_ends_in_an_error(lab: AwsLab) -> None:
    FAULTS.hang("ec2", "DescribeVpcs", seconds=0.1)
    started = time.monotonic()
    with pytest.raises(botocore.exceptions.HTTPClientError):
        once(lab, "ec2").describe_vpcs()  # type: ignore[attr-defined]
    assert time.monotonic() - started >= 0.1


def test_a_client_that_gives_up_first_sees_its_own_timeout(lab: AwsLab) -> None:
    FAULTS.hang("ec2", "DescribeVpcs", seconds=5)
    config = Config(retries={"total_max_attempts": 1}, read_timeout=0.2)
    client = boto3.client("ec2", "us-east-1", endpoint_url=lab.endpoint, config=config)
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        client.describe_vpcs()


def test_a_captive_portal_is_read_as_an_answer_without_a_request_id(lab: AwsLab) -> None:
    FAULTS.captive_portal("ssm", "GetParameter")
    answer = lab.client("ssm").get_parameter(Name="/x")
    assert "Parameter" not in answer
    assert "RequestId" not in answer["ResponseMetadata"]


def test_garbage_can_not_be_read(lab: AwsLab) -> None:
    FAULTS.garble("ec2", "DescribeVpcs")
    with pytest.raises(botocore.parsers.ResponseParserError):
        lab.client("ec2").describe_vpcs()


def test_hooks_run_around_a_call_and_faults_add_up(lab: AwsLab) -> None:
    counts: list[int] = []
    FAULTS.before("ec2", "CreateVpc", lambda call: counts.append(vpcs(lab)))
    FAULTS.after("ec2", "CreateVpc", lambda call: counts.append(vpcs(lab)))
    FAULTS.delay("ec2", "CreateVpc", 0.05)
    started = time.monotonic()
    lab.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert time.monotonic() - started >= 0.05
    assert counts == [1, 2]


def test_any_error_for_some_calls_only(lab: AwsLab) -> None:
    FAULTS.fail(
        "ec2",
        "CreateTags",
        "InvalidID",
        "no such thing",
        only=lambda call: call.params["Resources"] == ["i-2"],
    )
    ec2 = lab.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "k", "Value": "v"}])
    with pytest.raises(botocore.exceptions.ClientError, match=r"InvalidID.*no such thing"):
        ec2.create_tags(Resources=["i-2"], Tags=[{"Key": "k", "Value": "v"}])


def test_every_call_is_recorded_with_what_it_asked(lab: AwsLab) -> None:
    lab.client("ec2", "eu-west-1").create_vpc(CidrBlock="10.0.0.0/16")
    lab.client("iam").list_users()
    lab.client("s3").create_bucket(Bucket="evidence")
    lab.client("s3").put_object(Bucket="evidence", Key="a/b c", Body=b"x")
    lab.client("elb").describe_load_balancers()
    lab.client("elbv2").describe_load_balancers()
    lab.client("ssm").get_parameters_by_path(Path="/")
    assert [(s.action, s.region, s.mutating) for s in CALLS] == [
        ("ec2:CreateVpc", "eu-west-1", True),
        ("iam:ListUsers", "us-east-1", False),
        ("s3:CreateBucket", "us-east-1", True),
        ("s3:PutObject", "us-east-1", True),
        ("elb:DescribeLoadBalancers", "us-east-1", False),
        ("elbv2:DescribeLoadBalancers", "us-east-1", False),
        ("ssm:GetParametersByPath", "us-east-1", False),
    ]
    assert CALLS[0].params == {"CidrBlock": "10.0.0.0/16"}
    assert CALLS[3].params["Key"] == "a/b c"
    assert [s.action for s in CALLS.mutating] == [
        "ec2:CreateVpc",
        "s3:CreateBucket",
        "s3:PutObject",
    ]
    assert {s.access_key for s in CALLS} == {"AKIAIOSFODNN7EXAMPLE"}


def test_retries_reach_the_account_and_are_each_recorded(aws_lab: AwsLab, faults: object) -> None:
    FAULTS.throttle("ec2", "DescribeVpcs", times=2)
    assert vpcs(aws_lab) == 1
    assert [s.error for s in CALLS] == ["RequestLimitExceeded", "RequestLimitExceeded", ""]


def test_a_presigned_link_is_a_call_too(lab_server: AwsLab) -> None:
    import urllib.request

    s3 = lab_server.client("s3")
    s3.create_bucket(Bucket="evidence")
    s3.put_object(Bucket="evidence", Key="k", Body=b"hello")
    CALLS.clear()
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "evidence", "Key": "k"})
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        assert answer.read() == b"hello"
    assert [s.action for s in CALLS] == ["s3:GetObject"]
