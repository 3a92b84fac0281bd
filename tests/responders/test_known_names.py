"""What once meant a target means it still, when AWS does not know it by that name any more."""

from __future__ import annotations

import pytest

from tests.conftest import AwsLab
from tests.responders.conftest import REGION, Cordon, Scenario
from tests.responders.people import populate

CASE = ("--case", "IR-7", "--json")
QUICK = ("--no-snapshot", "--keep-imds")


def names_of(scenario: Scenario) -> dict[str, str]:
    """An Elastic IP, a private and an IPv6 address of the instance, all put on it now."""
    ec2 = scenario.client("ec2")
    first = scenario.enis[0]
    allocation = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=allocation["AllocationId"], NetworkInterfaceId=first)
    ec2.assign_ipv6_addresses(NetworkInterfaceId=first, Ipv6Addresses=["2001:db8::17"])
    [described] = ec2.describe_network_interfaces(NetworkInterfaceIds=[first])["NetworkInterfaces"]
    return {
        "public": allocation["PublicIp"],
        "private": described["PrivateIpAddress"],
        "ipv6": "2001:0db8:0:0::0017",
        "allocation": allocation["AllocationId"],
    }


def test_an_address_finds_the_instance_again(scenario: Scenario, cordon: Cordon) -> None:
    """Contained by its id: that nobody asked with the address then does not matter."""
    before = scenario.groups()
    names = names_of(scenario)
    contained = cordon("instance", scenario.instance, "--region", REGION, *QUICK, *CASE)
    assert contained.code == 0, contained.out + contained.err
    ec2 = scenario.client("ec2")
    ec2.unassign_ipv6_addresses(NetworkInterfaceId=scenario.enis[0], Ipv6Addresses=["2001:db8::17"])
    for name in ("public", "private", "ipv6"):
        plan = cordon("release", names[name], "--dry-run", *CASE)
        assert plan.document.get("target") == scenario.instance, plan.out + plan.err
        again = cordon("instance", names[name], "--region", REGION, *QUICK, *CASE, "--dry-run")
        assert again.document.get("target") == scenario.instance, again.out + again.err
    again = cordon("instance", names["public"], *QUICK, *CASE)
    assert again.document.get("outcome") == "already-contained", again.out + again.err
    released = cordon("release", names["public"], *CASE)
    assert released.document.get("outcome") == "released", released.out + released.err
    assert scenario.groups() == before


def test_an_address_that_is_on_another_instance_by_now_is_ambiguous(
    scenario: Scenario, cordon: Cordon
) -> None:
    """The replacement has the public address: only a person knows which of the two is meant."""
    names = names_of(scenario)
    ec2 = scenario.client("ec2")
    cordon("instance", names["public"], "--region", REGION, *QUICK, *CASE)
    subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [scenario.vpc]}])
    [other] = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet["Subnets"][0]["SubnetId"],
        SecurityGroupIds=[scenario.app_group],
    )["Instances"]
    ec2.associate_address(AllocationId=names["allocation"], InstanceId=other["InstanceId"])
    answer = cordon("instance", names["public"], "--region", REGION, *QUICK, *CASE)
    assert answer.code == 2, answer.out
    assert scenario.instance in answer.document["error"]
    assert other["InstanceId"] in answer.document["error"]
    assert cordon("release", names["public"], *CASE).document["target"] == scenario.instance


@pytest.mark.parametrize(
    ("kind", "name", "asked", "again"),
    [
        ("user", "alice", "alice", "Arn"),
        ("role", "deployer", "RoleId", "deployer"),
    ],
)
def test_an_identity_is_released_by_any_of_its_names(
    aws_lab: AwsLab, cordon: Cordon, kind: str, name: str, asked: str, again: str
) -> None:
    people = populate(aws_lab)
    get = getattr(people.iam, f"get_{kind}")
    names = get(**{f"{kind.title()}Name": name})[kind.title()]
    before = people.state()
    answer = cordon(kind, names.get(asked, asked), "--region", REGION, *CASE)
    assert answer.document.get("outcome") == "contained", answer.out + answer.err
    released = cordon("release", names.get(again, again), *CASE)
    assert released.document.get("outcome") == "released", released.out + released.err
    assert people.state() == before
