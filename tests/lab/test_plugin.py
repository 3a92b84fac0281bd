"""The stand-in for Pulumi's AWS plugin, over gRPC: the program's whole life in the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from lab.account import PROGRAM
from lab.engine.engine import Protected
from lab.engine.provider import State
from lab.mended import CALLS
from lab.plugin.serving import serving
from lab.server import credentials_env
from tests.conftest import AwsLab
from tests.lab.over_grpc import GrpcEngine, ProgramFailed, RemoteProvider, grpc_engine

REGION = "us-east-1"
CONFIG: dict[str, Any] = {
    "stacks": ["account", "forensics"],
    "regions": [REGION],
    "responders": ["arn:aws:iam::123456789012:user/alice"],
}


@pytest.fixture
def engine(lab_server: AwsLab, tmp_path: Path) -> Iterator[GrpcEngine]:
    with grpc_engine(tmp_path, environment(lab_server)) as running:
        yield running


def environment(lab: AwsLab) -> dict[str, str]:
    """What `cordon lab serve` tells to export."""
    return {"AWS_ENDPOINT_URL": str(lab.endpoint), **credentials_env(REGION)}


def groups_of(ec2: Any, vpc: str) -> dict[str, str]:
    """The kit's groups in a VPC, by name."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "tag-key", "Values": ["cordon:kit"]}]
    groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    return {group["GroupName"]: group["GroupId"] for group in groups}


def new_vpc(ec2: Any, cidr: str) -> str:
    return str(ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])


def delete_vpc(ec2: Any, vpc: str) -> None:
    """As its owner does after `cordon vpc release`."""
    for group in groups_of(ec2, vpc).values():
        ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)


def test_the_life_of_a_stack(engine: GrpcEngine, lab_server: AwsLab) -> None:
    ec2 = lab_server.client("ec2")
    vpc, other = new_vpc(ec2, "10.7.0.0/16"), new_vpc(ec2, "10.8.0.0/16")
    CALLS.clear()
    planned = engine.preview(PROGRAM, CONFIG)
    assert CALLS.mutating == [], "a preview changes nothing"
    created = engine.up(PROGRAM, CONFIG)
    assert {r.urn for r in planned.registrations} == {r.urn for r in created.registrations}
    group = groups_of(ec2, vpc)["cordon-isolate"]
    assert created.exports["groups"][REGION][vpc]["isolate"] == group

    CALLS.clear()
    engine.up(PROGRAM, CONFIG)
    assert not engine.changes
    engine.refresh()
    engine.up(PROGRAM, CONFIG)
    assert not engine.changes
    assert CALLS.mutating == []

    # Somebody opens the group. A refresh sees it, and the next `up` closes it.
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**rule, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    engine.refresh()
    engine.up(PROGRAM, CONFIG)
    assert engine.changes.updated == [f"isolation-{REGION}-{vpc}-isolate"]
    assert (
        ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []
    )

    # The owner of a VPC deletes it. A refresh forgets its groups; without one, `up` goes on.
    delete_vpc(ec2, other)
    assert any(other in name for name in engine.names)
    engine.refresh()
    assert not any(other in name for name in engine.names)
    delete_vpc(ec2, vpc)
    engine.up(PROGRAM, {**CONFIG, "logDays": 365})
    assert len(engine.changes.deleted) == 2
    assert f"forensics-{REGION}-flow-logs" in engine.changes.updated
    assert engine.changes.created == []

    CALLS.clear()
    with pytest.raises(Protected):
        engine.destroy()
    assert CALLS.mutating == []
    engine.destroy(exclude_protected=True)
    assert lab_server.client("iam").list_roles(PathPrefix="/cordon/")["Roles"] == []
    assert all(name.startswith(("vault-", "key-")) for name in engine.names)
    vault = created.exports["vault"]["bucket"]
    assert lab_server.client("s3").get_object_lock_configuration(Bucket=vault)


def test_a_refused_setting_reaches_the_engine_as_a_sentence(engine: GrpcEngine) -> None:
    with pytest.raises(ProgramFailed) as error:
        engine.up(PROGRAM, {**CONFIG, "regions": ["mars-north-1"]})
    assert "cordon:regions: mars-north-1 is not enabled" in str(error.value)
    assert "Traceback" not in str(error.value)
    assert engine.names == frozenset()


@pytest.fixture
def provider(lab_server: AwsLab) -> Iterator[RemoteProvider]:
    with serving(environment(lab_server)) as (port, _):
        yield RemoteProvider(port, {"region": REGION})


def test_what_fails_is_an_error_with_its_text_and_the_plugin_lives_on(
    provider: RemoteProvider,
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        provider.create("aws:rds/cluster:Cluster", "c", {})
    assert "no creator for aws:rds/cluster:Cluster" in error.value.details()
    with pytest.raises(grpc.RpcError) as error:
        provider.create("aws:ec2/subnet:Subnet", "s", {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/8"})
    assert "vpc-1" in error.value.details()
    absent = State("aws:ec2/vpc:Vpc", "v", "vpc-0123456789abcdef0", {}, {"region": REGION})
    assert provider.read(absent) is None
    provider.delete(absent)
    identity = provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    assert identity["accountId"] == "123456789012"


def test_a_resource_is_replaced_for_what_cannot_change_in_place(provider: RemoteProvider) -> None:
    vpc = provider.create("aws:ec2/vpc:Vpc", "v", {"cidrBlock": "10.0.0.0/16"})
    assert provider.diff(vpc, vpc.inputs).changed == ()
    other = provider.diff(vpc, {"cidrBlock": "10.1.0.0/16", "tags": {"a": "b"}})
    assert (other.changed, other.replaces) == (("cidrBlock", "tags"), ("cidrBlock",))


@pytest.mark.parametrize(
    ("variables", "configuration", "problem"),
    [
        ({"AWS_ENDPOINT_URL": ""}, {}, "export what `cordon lab serve` prints"),
        ({"AWS_ENDPOINT_URL": "https://ec2.amazonaws.com"}, {}, "the lab's stand-in"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1.example.com"}, {}, "the lab's stand-in"),
        ({}, {"allowedAccountIds": '["111122223333"]'}, "not allowed: 123456789012"),
    ],
)
def test_the_plugin_works_in_the_lab_only_and_heeds_the_guard(
    lab_server: AwsLab,
    variables: dict[str, str],
    configuration: dict[str, str],
    problem: str,
) -> None:
    with (
        serving({**environment(lab_server), **variables}) as (port, _),
        pytest.raises(grpc.RpcError) as error,
    ):
        RemoteProvider(port, {"region": REGION, **configuration})
    assert problem in error.value.details()
