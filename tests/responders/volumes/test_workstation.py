"""`cordon workstation`: opened from a case's snapshots, found by tags, closed without a trace."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from contract import (
    TAG_CASE,
    TAG_COPY,
    TAG_SOURCE,
    Document,
    Purpose,
    ScriptExit,
    kit_tags,
)
from lab import hosts
from lab.calls import Calls
from lab.faults import Faults
from lab.hosts import Ended, Host
from responders.actions import (
    attach_volumes,
    close_machine,
    delete_volumes,
    mount_volumes,
    open_endpoints,
    open_machine,
    restore_volumes,
)
from responders.host import run_command
from tests.responders.conftest import REGION, Answer, Cordon, Scenario, prepare_vault
from tests.responders.evidence import (
    ACCOUNT,
    FORENSIC,
    add_volumes,
    ending,
    manifest,
    prepare,
    prepare_documents,
    scripted,
    snapshots,
    stage,
    tags_of,
    take,
)

CASE = ("--case", "IR-7", "--region", REGION, "--json")


def tagged(kind: str, purpose: Purpose) -> list[dict[str, Any]]:
    tags = [{"Key": k, "Value": v} for k, v in kit_tags(purpose).items()]
    return [{"ResourceType": kind, "Tags": tags}]


def prepare_forensic_vpc(scenario: Scenario) -> dict[str, str]:
    """As cold preparation leaves it: VPC, two subnets, two groups, no interface endpoints."""
    ec2, iam = scenario.client("ec2"), scenario.client("iam")
    vpc = ec2.create_vpc(
        CidrBlock="10.99.0.0/24", TagSpecifications=tagged("vpc", Purpose.FORENSICS)
    )["Vpc"]["VpcId"]
    subnets = {
        f"{scenario.region}{letter}": ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.99.0.{number * 64}/26",
            AvailabilityZone=f"{scenario.region}{letter}",
            TagSpecifications=tagged("subnet", Purpose.FORENSICS),
        )["Subnet"]["SubnetId"]
        for number, letter in enumerate("ab")
    }
    groups = {
        purpose: ec2.create_security_group(
            GroupName=f"cordon-{purpose.value}",
            Description=purpose.value,
            VpcId=vpc,
            TagSpecifications=tagged("security-group", purpose),
        )["GroupId"]
        for purpose in (Purpose.WORKSTATION, Purpose.ENDPOINT)
    }
    for group in groups.values():
        # A new group lets everything out.
        ec2.revoke_security_group_egress(
            GroupId=group,
            IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
        )
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    ec2.authorize_security_group_egress(
        GroupId=groups[Purpose.WORKSTATION],
        IpPermissions=[{**https, "UserIdGroupPairs": [{"GroupId": groups[Purpose.ENDPOINT]}]}],
    )
    iam.create_instance_profile(InstanceProfileName="cordon-workstation", Path="/cordon/")
    prepare(
        scenario,
        forensic_vpc=vpc,
        subnets=subnets,
        workstation_group=groups[Purpose.WORKSTATION],
        endpoint_group=groups[Purpose.ENDPOINT],
        workstation_profile="cordon-workstation",
    )
    return {"vpc": vpc, **subnets, **{p.value: g for p, g in groups.items()}}


@pytest.fixture
def place(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The forensic VPC, an image, and nothing that waits for long."""
    for module in (
        attach_volumes,
        close_machine,
        delete_volumes,
        mount_volumes,
        open_endpoints,
        open_machine,
        restore_volumes,
        run_command,
    ):
        monkeypatch.setattr(module, "EVERY", 0.01)
    monkeypatch.setattr(mount_volumes, "AGENT", 0.2)
    monkeypatch.setattr(delete_volumes, "FREE", 0.2)
    prepare_documents(scenario)
    made = prepare_forensic_vpc(scenario)
    image = scenario.client("ec2").register_image(
        Name="forensics", RootDeviceName="/dev/sda1", Architecture="x86_64"
    )["ImageId"]
    monkeypatch.setenv("CORDON_WORKSTATION_IMAGE", image)
    return {**made, "image": image}


@pytest.fixture
def evidence(scenario: Scenario, place: dict[str, str]) -> list[str]:
    """Two snapshots of the case and their copies under the kit's key; gives the copies, by id."""
    add_volumes(scenario, 1)
    return take(scenario, copy=True)


def machines(scenario: Scenario, place: dict[str, str]) -> list[dict[str, Any]]:
    answer = scenario.client("ec2").describe_instances(
        Filters=[
            {"Name": "vpc-id", "Values": [place["vpc"]]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopped"]},
        ]
    )
    return [i for r in answer["Reservations"] for i in r["Instances"]]


def volumes(scenario: Scenario) -> list[dict[str, Any]]:
    answer = scenario.client("ec2").describe_volumes(
        Filters=[{"Name": "tag-key", "Values": [TAG_COPY]}]
    )
    return sorted(answer["Volumes"], key=lambda v: v["VolumeId"])


def endpoints(scenario: Scenario, place: dict[str, str]) -> set[str]:
    answer = scenario.client("ec2").describe_vpc_endpoints(
        Filters=[{"Name": "vpc-id", "Values": [place["vpc"]]}]
    )
    return {
        e["ServiceName"].rsplit(".", 1)[-1]
        for e in answer["VpcEndpoints"]
        if e["State"] == "available"
    }


def internet_gateway(ec2: Any, vpc: str) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)


def route(ec2: Any, vpc: str) -> None:
    peer = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer)
    [table] = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])[
        "RouteTables"
    ]
    ec2.create_route(
        RouteTableId=table["RouteTableId"],
        DestinationCidrBlock="10.99.0.0/16",
        VpcPeeringConnectionId=peering["VpcPeeringConnection"]["VpcPeeringConnectionId"],
    )


def foreign_endpoint(ec2: Any, vpc: str) -> None:
    ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"
    )


def open_group(ec2: Any, vpc: str) -> None:
    [group] = ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": "group-name", "Values": ["cordon-workstation"]},
        ]
    )["SecurityGroups"]
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
    )


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (internet_gateway, "an internet gateway is attached"),
        (route, "has a route out: pcx-"),
        (foreign_endpoint, "leads to com.amazonaws.vpce"),
        (open_group, "has rules that were not prepared"),
    ],
)
def test_no_evidence_is_mounted_in_a_vpc_with_a_way_out(
    scenario: Scenario, place: dict[str, str], cordon: Cordon, tamper: Any, words: str
) -> None:
    tamper(scenario.client("ec2"), place["vpc"])
    answer = cordon("workstation", "open", *CASE)
    assert answer.code == 2
    assert words in answer.document["error"]
    assert machines(scenario, place) == []


def opened(cordon: Cordon, *words: str) -> Answer:
    answer = cordon("workstation", "open", *CASE, *words)
    assert (answer.code, answer.document["outcome"]) == (0, "open"), answer.out + answer.err
    return answer


def test_open(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon
) -> None:
    answer = opened(cordon)
    (machine,) = machines(scenario, place)
    assert machine["State"]["Name"] == "running"
    assert machine["SubnetId"] == place[f"{scenario.region}a"]
    assert [g["GroupId"] for g in machine["SecurityGroups"]] == [place["workstation"]]
    assert machine["IamInstanceProfile"]["Arn"].endswith("/cordon/cordon-workstation")
    assert "PublicIpAddress" not in machine
    assert tags_of(machine)[TAG_CASE] == "IR-7"

    made = volumes(scenario)
    assert sorted(v["SnapshotId"] for v in made) == evidence
    for volume in made:
        (attachment,) = volume["Attachments"]
        assert attachment["InstanceId"] == machine["InstanceId"]
        assert volume["AvailabilityZone"] == machine["Placement"]["AvailabilityZone"]
        assert volume["Encrypted"]
        assert tags_of(volume)[TAG_SOURCE].startswith(f"{scenario.instance}/")
    assert [v["Attachments"][0]["Device"] for v in made] == ["/dev/sdf", "/dev/sdg"]
    assert endpoints(scenario, place) == {"ssm", "ssmmessages"}

    told = answer.document["workstation"]
    assert told["connect"] == (
        f"aws ssm start-session --target {machine['InstanceId']} --region {scenario.region}"
    )
    assert {v["snapshot"] for v in told["volumes"]} == set(evidence)


def test_after_a_response_it_knows_the_region(
    scenario: Scenario, place: dict[str, str], cordon: Cordon
) -> None:
    case = ("--case", "IR-7", "--json")
    words = ("--region", scenario.region, "--dwell", "0")
    assert cordon("instance", scenario.instance, *words, *case).code == 0
    answer = cordon("workstation", "open", *case)
    assert (answer.code, answer.document["outcome"]) == (0, "open"), answer.out
    (volume,) = volumes(scenario)
    (copy,) = (s for s in snapshots(scenario) if TAG_COPY in tags_of(s))
    assert volume["SnapshotId"] == copy["SnapshotId"]
    assert cordon("workstation", "close", *case).document["outcome"] == "closed"
    assert cordon("case", "verify", "--case", "IR-7").code == 0


def test_what_is_launched_is_closed_and_encrypted(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon, calls: Calls
) -> None:
    opened(cordon)
    (launch,) = calls.of("ec2", "RunInstances")
    given = launch.params
    assert given["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    (disk,) = given["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True
    assert disk["Ebs"]["KmsKeyId"] == manifest(scenario).key_arn
    assert disk["Ebs"]["DeleteOnTermination"] is True
    (interface,) = given["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] is False
    for endpoint in calls.of("ec2", "CreateVpcEndpoint"):
        assert endpoint.params["SecurityGroupIds"] == [place["endpoint"]]
        assert ACCOUNT in endpoint.params["PolicyDocument"]


def test_an_endpoint_goes_to_another_zone_when_one_does_not_offer_its_service(
    scenario: Scenario,
    place: dict[str, str],
    evidence: list[str],
    cordon: Cordon,
    calls: Calls,
    faults: Faults,
) -> None:
    first, second = place[f"{scenario.region}a"], place[f"{scenario.region}b"]
    faults.fail(
        "ec2",
        "CreateVpcEndpoint",
        "InvalidParameter",
        f"The VPC endpoint service does not support the availability zone of the subnet: {first}",
        times=1,
    )
    opened(cordon)
    assert endpoints(scenario, place) == {"ssm", "ssmmessages"}
    subnets = [c.params["SubnetIds"] for c in calls.of("ec2", "CreateVpcEndpoint")]
    assert subnets == [[first], [second], [first]]


def test_an_endpoint_that_no_zone_offers_is_a_failure_with_its_reason(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon, faults: Faults
) -> None:
    text = "The VPC endpoint service does not support the availability zone of the subnet"
    faults.fail("ec2", "CreateVpcEndpoint", "InvalidParameter", text)
    answer = cordon("workstation", "open", *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-open")
    assert "availability zone" in answer.step("endpoints")["reason"]


def test_one_endpoint_that_is_refused_costs_no_other(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon, faults: Faults
) -> None:
    faults.fail(
        "ec2",
        "CreateVpcEndpoint",
        "VpcEndpointLimitExceeded",
        only=lambda call: call.params["ServiceName"].endswith(".ssm"),
    )
    answer = cordon("workstation", "open", *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-open")
    assert "ssm: CreateVpcEndpoint" in answer.step("endpoints")["reason"]
    assert endpoints(scenario, place) == {"ssmmessages"}


def test_disks_are_hashed_on_the_host_and_mounted(
    scenario: Scenario, evidence: list[str], cordon: Cordon, calls: Calls, place: dict[str, str]
) -> None:
    opened(cordon)
    sent = [
        {k: v[0] for k, v in c.params["Parameters"].items()}
        for c in calls.of("ssm", "SendCommand")
        if c.params["DocumentName"] == Document.MOUNT
    ]
    devices = {v["VolumeId"]: v["Attachments"][0]["Device"] for v in volumes(scenario)}
    assert {(s["Volume"], s["Device"]) for s in sent} == set(devices.items())
    assert {(s["Mode"], s["Hash"]) for s in sent} == {("mount", "yes")}
    folder = scenario.lab.home / "cases" / "IR-7"
    saved = [p for p in folder.rglob("evidence/workstation/*.json") if p.name.startswith("vol-")]
    assert len(saved) == 2
    assert all(b'"sha256":' in p.read_bytes() for p in saved)


def test_mounted_without_the_hash_is_a_failure(
    scenario: Scenario, evidence: list[str], cordon: Cordon
) -> None:
    ended = hosts.report(Document.MOUNT, ScriptExit.DONE, "mounted", mounted=1)
    scripted(scenario, Document.MOUNT, ending(ended))
    answer = cordon("workstation", "open", *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-open")
    assert "not hashed before" in answer.step("mount")["reason"]

    scripted(scenario, Document.MOUNT, hosts.mount)
    opened(cordon)


def test_an_open_one_is_used_again(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon, calls: Calls
) -> None:
    opened(cordon)
    calls.clear()
    answer = opened(cordon)
    assert {s["status"] for s in answer.document["steps"]} == {"already"}
    assert [c for c in calls.mutating if c.service != "s3"] == []
    assert len(machines(scenario, place)) == 1


def test_a_stopped_one_is_started(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon, calls: Calls
) -> None:
    opened(cordon)
    (machine,) = machines(scenario, place)
    scenario.client("ec2").stop_instances(InstanceIds=[machine["InstanceId"]])
    calls.clear()
    opened(cordon)
    (again,) = machines(scenario, place)
    assert again["InstanceId"] == machine["InstanceId"]
    assert again["State"]["Name"] == "running"


def test_close_removes_all_but_the_snapshots(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon, calls: Calls
) -> None:
    opened(cordon)
    before = snapshots(scenario)
    answer = cordon("workstation", "close", *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "closed"), answer.out
    assert machines(scenario, place) == []
    assert volumes(scenario) == []
    assert endpoints(scenario, place) == set()
    assert snapshots(scenario) == before
    workload = scenario.client("ec2").describe_instances(InstanceIds=[scenario.instance])
    assert workload["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"

    calls.clear()
    again = cordon("workstation", "close", *CASE)
    assert (again.code, again.document["outcome"]) == (0, "closed")
    assert [c for c in calls.mutating if c.service != "s3"] == []


def test_opens_anew_after_closing(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon
) -> None:
    opened(cordon)
    cordon("workstation", "close", *CASE)
    opened(cordon)
    assert len(machines(scenario, place)) == 1


def test_close_leaves_what_another_case_uses(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon
) -> None:
    opened(cordon)
    (machine,) = machines(scenario, place)
    scenario.client("ec2").create_tags(
        Resources=[machine["InstanceId"]], Tags=[{"Key": TAG_CASE, "Value": "IR-8"}]
    )
    answer = cordon("workstation", "close", *CASE)
    assert "another case" in answer.step("close-endpoints")["reason"]
    assert endpoints(scenario, place) == {"ssm", "ssmmessages"}
    assert len(machines(scenario, place)) == 1


def test_close_takes_no_volume_that_was_only_tagged_so(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon
) -> None:
    ec2 = scenario.client("ec2")
    made = ec2.create_volume(AvailabilityZone=f"{scenario.region}a", Size=1)["VolumeId"]
    planted = [
        {"Key": TAG_CASE, "Value": "IR-7"},
        {"Key": "cordon:purpose", "Value": "workstation"},
    ]
    ec2.create_tags(Resources=[made, scenario.instance], Tags=planted)
    cordon("workstation", "close", *CASE)
    assert ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["State"] == "available"
    found = ec2.describe_instances(InstanceIds=[scenario.instance])
    assert found["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"


def test_a_prepared_endpoint_is_used_and_stays(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon, calls: Calls
) -> None:
    scenario.client("ec2").create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=place["vpc"],
        ServiceName=f"com.amazonaws.{scenario.region}.ssm",
        SubnetIds=[place[f"{scenario.region}a"]],
        SecurityGroupIds=[place["endpoint"]],
        TagSpecifications=tagged("vpc-endpoint", Purpose.ENDPOINT),
    )
    calls.clear()
    opened(cordon)
    made = [c.params["ServiceName"] for c in calls.of("ec2", "CreateVpcEndpoint")]
    assert made == [f"com.amazonaws.{scenario.region}.ssmmessages"]
    cordon("workstation", "close", *CASE)
    assert endpoints(scenario, place) == {"ssm"}


def test_options_shape_the_volumes(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon
) -> None:
    zone = f"{scenario.region}b"
    words = ("--volume-type", "io2", "--iops", "500", "--size", "20", "--zone", zone)
    opened(cordon, *words, "--snapshot", evidence[0], "--machine", "m6i.xlarge")
    (volume,) = volumes(scenario)
    assert (volume["VolumeType"], volume["Iops"], volume["Size"]) == ("io2", 500, 20)
    assert volume["AvailabilityZone"] == zone
    (machine,) = machines(scenario, place)
    assert machine["InstanceType"] == "m6i.xlarge"
    assert machine["Placement"]["AvailabilityZone"] == zone


def test_a_dry_run_changes_nothing(
    scenario: Scenario, place: dict[str, str], evidence: list[str], cordon: Cordon, calls: Calls
) -> None:
    calls.clear()
    answer = cordon("workstation", "open", *CASE, "--dry-run")
    assert (answer.code, answer.document["outcome"]) == (0, "planned")
    assert answer.step("machine")["status"] == "planned"
    assert calls.mutating == []
    assert machines(scenario, place) == []


REFUSED = {
    "no subnet in": ("--zone", "eu-west-1z"),
    "no such snapshot": ("--snapshot", "snap-0123456789abcdef0"),
    "is no image": ("--image", "forensics"),
    "there is no image": ("--image", "ami-0123456789abcdef0"),
    "no public parameter": ("--image", "/aws/service/none"),
    "no instance type": ("--machine", "m6i.gigantic"),
    "take no --iops": ("--volume-type", "gp2", "--iops", "500"),
    "need --iops": ("--volume-type", "io1"),
    "more than 1": ("--size", "1"),
}


def test_bad_input_touches_nothing(
    scenario: Scenario, evidence: list[str], cordon: Cordon, calls: Calls
) -> None:
    calls.clear()
    for told, words in REFUSED.items():
        answer = cordon("workstation", "open", *CASE, *words)
        assert answer.code == 2, (told, answer.out)
        assert told in answer.document["error"]
        assert answer.document["advice"]
    assert calls.mutating == []


def test_a_pending_snapshot_is_refused(
    scenario: Scenario, evidence: list[str], cordon: Cordon, calls: Calls
) -> None:
    for snapshot in snapshots(scenario):
        stage(scenario, snapshot["SnapshotId"], "pending", "73%")
    calls.clear()
    answer = cordon("workstation", "open", *CASE)
    assert answer.code == 2
    assert "73 %" in answer.document["error"]
    assert calls.mutating == []


def test_without_a_copy_the_original_is_used(
    scenario: Scenario, evidence: list[str], cordon: Cordon
) -> None:
    stage(scenario, evidence[0], "error")
    opened(cordon)
    (failed,) = (s for s in snapshots(scenario) if s["SnapshotId"] == evidence[0])
    expected = {tags_of(failed)[TAG_COPY], evidence[1]}
    assert {v["SnapshotId"] for v in volumes(scenario)} == expected


def test_the_twelfth_volume_is_refused(
    scenario: Scenario, place: dict[str, str], cordon: Cordon, calls: Calls
) -> None:
    add_volumes(scenario, 11)
    made = take(scenario)
    assert len(made) == 12
    calls.clear()
    answer = cordon("workstation", "open", *CASE)
    assert answer.code == 2
    assert "12 volumes" in answer.document["error"]
    assert "--snapshot" in answer.document["error"]
    assert calls.mutating == []
    some = [word for one in made[:11] for word in ("--snapshot", one)]
    opened(cordon, *some)
    names = sorted(v["Attachments"][0]["Device"] for v in volumes(scenario))
    assert names == [f"/dev/sd{letter}" for letter in "fghijklmnop"]


def test_nothing_prepared_is_said(scenario: Scenario, cordon: Cordon) -> None:
    for verb in ("open", "close"):
        answer = cordon("workstation", verb, *CASE)
        assert answer.code == 2
        assert "no forensic VPC" in answer.document["error"]


def test_a_case_without_snapshots_is_said(
    scenario: Scenario, place: dict[str, str], cordon: Cordon
) -> None:
    answer = cordon("workstation", "open", *CASE)
    assert answer.code == 2
    assert "has no snapshot" in answer.document["error"]


def test_the_default_image_is_found_by_its_parameter(
    scenario: Scenario,
    place: dict[str, str],
    evidence: list[str],
    cordon: Cordon,
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CORDON_WORKSTATION_IMAGE")
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    found = scenario.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    amis = ec2_backends[ACCOUNT][scenario.region].amis
    amis[found] = amis[place["image"]]
    monkeypatch.setattr(amis[found], "id", found)
    opened(cordon)
    assert calls.of("ec2", "RunInstances")[-1].params["ImageId"] == found


@pytest.mark.parametrize(
    ("operation", "step"),
    [
        ("CreateVpcEndpoint", "endpoints"),
        ("RunInstances", "machine"),
        ("CreateVolume", "volumes"),
        ("AttachVolume", "attach"),
    ],
)
def test_denied_is_said_and_gone_on_with(
    scenario: Scenario,
    place: dict[str, str],
    evidence: list[str],
    cordon: Cordon,
    faults: Faults,
    operation: str,
    step: str,
) -> None:
    faults.deny("ec2", operation)
    answer = cordon("workstation", "open", *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-open")
    assert answer.step(step)["status"] == "failed"
    assert "UnauthorizedOperation" in answer.step(step)["reason"]
    faults.clear()
    opened(cordon)
    assert len(machines(scenario, place)) == 1
    assert len(volumes(scenario)) == 2


@pytest.mark.parametrize("operation", ["RunInstances", "CreateVolume", "AttachVolume"])
def test_a_lost_answer_makes_nothing_twice(
    scenario: Scenario,
    place: dict[str, str],
    evidence: list[str],
    cordon: Cordon,
    faults: Faults,
    operation: str,
) -> None:
    faults.lose("ec2", operation, times=1)
    cordon("workstation", "open", *CASE)
    faults.clear()
    opened(cordon)
    assert len(machines(scenario, place)) == 1
    assert len(volumes(scenario)) == 2


@pytest.mark.parametrize("operation", ["TerminateInstances", "DeleteVolume", "DeleteVpcEndpoints"])
def test_what_could_not_be_closed_is_said(
    scenario: Scenario,
    place: dict[str, str],
    evidence: list[str],
    cordon: Cordon,
    faults: Faults,
    operation: str,
) -> None:
    opened(cordon)
    faults.deny("ec2", operation)
    answer = cordon("workstation", "close", *CASE)
    assert (answer.code, answer.document["outcome"]) == (1, "not-closed")
    faults.clear()
    assert cordon("workstation", "close", *CASE).document["outcome"] == "closed"
    assert volumes(scenario) == []
    assert machines(scenario, place) == []


def test_no_agent_is_said(scenario: Scenario, evidence: list[str], cordon: Cordon) -> None:
    from lab.mends import managed_instances

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(managed_instances, "agent_of", lambda ec2, instance: None)
        answer = cordon("workstation", "open", *CASE)
    assert answer.code == 3
    assert "no Systems Manager agent" in answer.step("mount")["reason"]
    opened(cordon)


def test_a_failed_mount_is_done_again(
    scenario: Scenario, evidence: list[str], cordon: Cordon
) -> None:
    ended = hosts.report(Document.MOUNT, ScriptExit.FAILED, "0 mounted, 1 failed")
    scripted(scenario, Document.MOUNT, ending(ended))
    answer = cordon("workstation", "open", *CASE)
    assert answer.code == 1
    assert "0 mounted, 1 failed" in answer.step("mount")["reason"]

    def run(host: Host, given: dict[str, str]) -> Ended:
        return hosts.mount(host, given)

    scripted(scenario, Document.MOUNT, run)
    opened(cordon)


def test_hashed_by_the_direct_apis_without_a_machine(
    scenario: Scenario, place: dict[str, str], cordon: Cordon, calls: Calls
) -> None:
    ebs, ec2 = scenario.client("ebs"), scenario.client("ec2")
    snapshot = ebs.start_snapshot(VolumeSize=1, Description="IR-alice-2026-01-31-IR-7")
    ident = snapshot["SnapshotId"]
    blocks = {0: b"\x01" * 512, 7: b"\x02" * 512}
    for index, data in blocks.items():
        ebs.put_snapshot_block(
            SnapshotId=ident,
            BlockIndex=index,
            BlockData=data,
            DataLength=512,
            Checksum=_checksum(data),
            ChecksumAlgorithm="SHA256",
        )
    ebs.complete_snapshot(SnapshotId=ident, ChangedBlocksCount=2)
    ec2.create_tags(
        Resources=[ident],
        Tags=[
            {"Key": TAG_CASE, "Value": "IR-7"},
            {"Key": "cordon:status", "Value": "evidence"},
        ],
    )
    calls.clear()
    opened(cordon, "--hash", "direct")
    digest = hashlib.sha256(blocks[0] + bytes(512 * 6) + blocks[7])
    for _ in range((1 << 30) // 512 // 8 - 1):
        digest.update(bytes(512 * 8))
    folder = scenario.lab.home / "cases" / "IR-7"
    (saved,) = folder.rglob(f"evidence/hashes/{ident}.json")
    assert digest.hexdigest() in saved.read_text()
    sent = [c.params["Parameters"]["Hash"] for c in calls.of("ssm", "SendCommand")]
    assert sent == [["no"]]


def _checksum(data: bytes) -> str:
    import base64

    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def test_a_block_that_is_not_as_kept_is_a_failure(
    scenario: Scenario, place: dict[str, str], cordon: Cordon
) -> None:
    ebs, ec2 = scenario.client("ebs"), scenario.client("ec2")
    ident = ebs.start_snapshot(VolumeSize=1, Description="x")["SnapshotId"]
    ebs.put_snapshot_block(
        SnapshotId=ident,
        BlockIndex=0,
        BlockData=b"\x01" * 512,
        DataLength=512,
        Checksum=_checksum(b"other"),
        ChecksumAlgorithm="SHA256",
    )
    ec2.create_tags(Resources=[ident], Tags=[{"Key": TAG_CASE, "Value": "IR-7"}])
    answer = cordon("workstation", "open", *CASE, "--hash", "direct")
    assert answer.code == 1
    assert "block 0" in answer.step("hash")["reason"]


def test_a_forensic_account_opens_what_was_shared(
    scenario: Scenario,
    place: dict[str, str],
    evidence: list[str],
    cordon: Cordon,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for copy in evidence:
        scenario.client("ec2").modify_snapshot_attribute(
            SnapshotId=copy,
            Attribute="createVolumePermission",
            OperationType="add",
            UserIds=[FORENSIC],
        )
    monkeypatch.setenv("MOTO_ACCOUNT_ID", FORENSIC)
    monkeypatch.setenv("CORDON_HOME", str(scenario.lab.home.parent / "forensics"))
    prepare_vault(scenario.lab, scenario.region, f"cordon-vault-{FORENSIC}-{scenario.region}")
    prepare_documents(scenario)
    prepare_forensic_vpc(scenario)
    image = scenario.client("ec2").register_image(
        Name="forensics", RootDeviceName="/dev/sda1", Architecture="x86_64"
    )["ImageId"]
    words = ("--image", image)
    assert cordon("workstation", "open", *CASE, *words).code == 2
    opened(cordon, *words, "--from-account", ACCOUNT)
    assert {v["SnapshotId"] for v in volumes(scenario)} == set(evidence)
