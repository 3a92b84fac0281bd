"""`cordon lab` through its command line: the story holds, and the account can be left running."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

pytestmark = pytest.mark.timeout(400)
LAB = [sys.executable, "-c", "from responders.cli import main; main()", "lab"]

THREE = "us-east-1,eu-west-1,ap-southeast-2"


@contextmanager
def served(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """A running `cordon lab serve`, and the line that it announced."""
    process = subprocess.Popen(
        [*LAB, "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield json.loads(line), process
    finally:
        process.kill()
        process.communicate()


def client(told: dict[str, Any], service: str, region: str = "us-east-1") -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=told["endpoint"],
        aws_access_key_id=told["env"]["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["env"]["AWS_SECRET_ACCESS_KEY"],
    )


def test_the_story_holds() -> None:
    ran = subprocess.run(
        [*LAB, "run", "--regions", THREE], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "✗" not in ran.stdout
    for chapter in ("Prepared: ", "Before: ", "Pinned", "Contained after ", "Released"):
        assert chapter in ran.stdout
    assert "All of it is so, read back from the API" in ran.stdout


def test_an_empty_account_is_served_at_the_port_asked_for_until_interrupted() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served("--empty", "--port", str(port)) as (told, process):
        assert told["endpoint"] == f"http://127.0.0.1:{port}"
        assert (told["prepared"], told["staged"]) == (None, None)
        assert client(told, "sts").get_caller_identity()["Arn"].endswith(":user/alice")
        assert len(client(told, "ec2").describe_regions()["Regions"]) == 17
        plugin = Path(told["pulumi"]["path"]) / "pulumi-resource-aws"
        with subprocess.Popen(
            [plugin, "127.0.0.1:1"], stdout=subprocess.PIPE, text=True
        ) as started:
            assert started.stdout is not None
            assert 0 < int(started.stdout.readline()) < 65536
            started.kill()
        assert told["pulumi"]["env"]["AWS_ENDPOINT_URL"] == told["endpoint"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert not plugin.exists()
        with pytest.raises(EndpointConnectionError):
            client(told, "sts").get_caller_identity()


def test_a_prepared_and_staged_account_is_served() -> None:
    with served("--regions", f"{THREE},ap-southeast-1,sa-east-1", "--leaked-key") as (told, _):
        workload = told["staged"]["workload"]
        vpc = workload["network"]["vpc"]
        groups = told["prepared"]["groups"]["eu-west-1"][vpc]
        assert groups.keys() == {"isolate", "untrack"}
        ec2 = client(told, "ec2", "eu-west-1")
        shown = ec2.describe_security_groups(GroupIds=[groups["isolate"]])["SecurityGroups"][0]
        assert shown["VpcId"] == vpc
        shown = ec2.describe_instances(InstanceIds=[workload["instance"]])["Reservations"]
        assert len(shown[0]["Instances"][0]["NetworkInterfaces"]) == 2
        key = {"AttributeKey": "AccessKeyId", "AttributeValue": told["leaked_key"]["key"]}
        events = client(told, "cloudtrail").lookup_events(LookupAttributes=[key])["Events"]
        assert "CreateAccessKey" in {e["EventName"] for e in events}


def test_a_prepared_account_has_nothing_staged_and_ends_when_terminated() -> None:
    with served("--prepared-only", "--regions", "us-east-1,eu-west-1") as (told, process):
        assert told["staged"] is None
        assert told["prepared"]["regions"] == ["eu-west-1", "us-east-1"]
        assert client(told, "ec2", "eu-west-1").describe_instances()["Reservations"] == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_regions_without_those_of_the_story_are_refused() -> None:
    ran = subprocess.run(
        [*LAB, "run", "--regions", "us-east-1"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "eu-west-1" in ran.stderr


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = subprocess.run(
            [*LAB, "serve", "--empty", "--port", port],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 2
    assert f"port {port} can't be used" in ran.stderr
