"""Staged workloads have what their options say, read back from the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.inprocess import clients
from lab.look import look
from lab.server import credentials_env
from lab.staging import Options, network, workload
from tests.conftest import AwsLab

REGION = "eu-west-1"


@pytest.fixture
def api(aws_lab: AwsLab) -> Callable[[str, str], Any]:
    return clients(credentials_env())


def test_everything_at_once(api: Callable[[str, str], Any]) -> None:
    made = workload(api, network(api, REGION), Options(classic_balancer=True, encrypted=True))
    view = look(api, made)
    assert view.groups == made.groups == ((made.network.web,), (made.network.data,))
    assert view.public_ip == made.public_ip != ""
    assert view.profile == made.profile_arn
    assert "/fleet/" in made.profile_arn
    assert not made.profile_arn.endswith(made.role)
    assert (view.fleet, view.balanced, view.state) == ("InService", True, "running")
    role = api("iam", REGION).get_role(RoleName=made.role)["Role"]
    assert role["Path"] == "/service-role/"
    ec2 = api("ec2", REGION)
    volumes = ec2.describe_volumes(VolumeIds=list(made.volumes))["Volumes"]
    assert [v["Encrypted"] for v in volumes] == [True] * 3
    nics = ec2.describe_network_interfaces(NetworkInterfaceIds=list(made.interfaces))
    assert all(nic["Ipv6Addresses"] for nic in nics["NetworkInterfaces"])
    [balancer] = api("elb", REGION).describe_load_balancers()["LoadBalancerDescriptions"]
    assert balancer["Instances"] == [{"InstanceId": made.instance}]
    data = ec2.describe_instance_attribute(InstanceId=made.instance, Attribute="userData")
    assert data["UserData"]["Value"]


def test_as_little_as_possible(api: Callable[[str, str], Any]) -> None:
    bare = Options(
        second_interface=False,
        profile=False,
        elastic_ip=False,
        data_volumes=0,
        auto_scaling=False,
        target_group=False,
        stopped=True,
    )
    made = workload(api, network(api, REGION), bare)
    view = look(api, made)
    assert view.groups == ((made.network.web,),)
    assert (view.public_ip, view.profile, view.fleet, view.balanced) == ("", "", "", False)
    assert view.state == "stopped"
    assert len(made.volumes) == 1


def test_a_target_group_without_an_auto_scaling_group(api: Callable[[str, str], Any]) -> None:
    made = workload(api, network(api, REGION), Options(auto_scaling=False))
    view = look(api, made)
    assert (view.fleet, view.balanced) == ("", True)
