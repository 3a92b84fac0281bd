"""The whole program: what is declared, for few and many regions, in every partition."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from contract import Document, Manifest, Purpose
from lab.plain import PlainMocks
from lab.program import Program
from tests.preparation import (
    ACCOUNT,
    EXTERNAL_ID,
    ORGANIZATION,
    OTHER,
    PARTITIONS,
    imagined,
    many,
    prepare,
    user,
)

ALL = {
    "stacks": ["account", "forensics"],
    "watch": "topic",
    "watchEmails": ["security@example.com"],
    "ebsDefaultEncryption": True,
    "tier": "hot",
    "breakGlass": [user("carol")],
    "organizationId": ORGANIZATION,
    "vaultWriters": ["organization"],
    "forensicAccount": OTHER,
}


@cache
def full(regions: int) -> Program:
    """Everything on, in that many regions of two VPCs."""
    return prepare(ALL, mocks=many(regions, vpcs=2))


@pytest.mark.parametrize("regions", [1, 3])
def test_every_child_names_its_parent_and_sits_in_its_region(regions: int) -> None:
    program = full(regions)
    urns = {r.urn: r for r in program.registrations}
    components = [r for r in program.registrations if not r.custom]
    assert {c.parent.split("::")[2] for c in components if c.parent not in urns} == {
        "pulumi:pulumi:Stack"
    }
    for resource in (r for r in program.registrations if r.custom):
        parent = urns[resource.parent]
        assert resource.name.startswith(f"{parent.name}-"), resource.name
        named = parent.inputs.get("region") or resource.inputs.get("region")
        if not resource.type.startswith("aws:iam/"):
            assert resource.inputs["region"] == named, resource.name
    assert all(c.type.startswith("cordon:components:") for c in components)


def test_each_region_adds_the_same_resources() -> None:
    one, two, three = (Counter(r.type for r in full(n).registrations) for n in (1, 2, 3))
    assert two - one == three - two
    assert (two - one)["aws:ec2/securityGroup:SecurityGroup"] == 2 * 2 + 2 + 2


def test_a_plan_costs_as_much_per_resource_when_there_are_more() -> None:
    """`benchmarks/plan.py` measures an organization's size: 34 regions of 30 VPCs."""
    config = {"stacks": ["account", "forensics"]}
    costs: list[float] = []
    for regions in (3, 12):
        started = time.process_time()
        program = prepare(config, mocks=many(regions, vpcs=15))
        costs.append((time.process_time() - started) / len(program.registrations))
        groups = program.of_type("aws:ec2/securityGroup:SecurityGroup")
        assert len(groups) == regions * (15 * 2 + 2 + 2)
        assert len({r.urn for r in program.registrations}) == len(program.registrations)
    assert costs[1] < 2 * costs[0]


@pytest.mark.parametrize("partition", PARTITIONS)
def test_no_other_partition_s_arn_or_host_is_declared(partition: str) -> None:
    config = {**ALL, "breakGlass": [user("carol", partition=partition)]}
    program = prepare(config, mocks=imagined(partition))
    text = json.dumps([r.inputs for r in program.registrations], default=str)
    assert f"arn:{partition}:" in text
    for other in {"aws", "aws-cn", "aws-us-gov"} - {partition}:
        assert f"arn:{other}:" not in text
    china = partition == "aws-cn"
    assert ("ec2.amazonaws.com.cn" in text) == china
    assert ("s3.cn-north-1.amazonaws.com.cn" in text) == china
    assert program.exports["regions"] == sorted(PARTITIONS[partition])
    assert program.exports["partition"] == partition


def test_the_manifest_names_what_the_region_has() -> None:
    program = full(2)
    for region in program.exports["regions"]:
        parameter = program.named(f"manifest-{region}-parameter")
        manifest = Manifest.from_json(parameter.inputs["insecureValue"])
        vpc = program.named(f"forensics-{region}-vpc")
        assert manifest.vault_bucket == program.exports["vault"]["bucket"]
        assert manifest.vault_region == program.exports["vault"]["region"]
        assert manifest.vault_key_arn == program.exports["vault"]["keyArn"]
        assert manifest.key_arn == program.named(f"key-{region}-key").outputs["arn"]
        assert manifest.forensic_account == OTHER
        assert manifest.forensic_vpc == vpc.id
        assert len(manifest.subnets) == 3
        group = program.named(f"forensics-{region}-workstation-group")
        assert manifest.workstation_group == group.id
        assert manifest.endpoint_group == program.named(f"forensics-{region}-endpoint-group").id
        assert manifest.workstation_profile == "cordon-workstation"
        assert manifest.isolated_profiles == {
            "dark": "cordon-isolated-dark",
            "channel": "cordon-isolated-channel",
        }
        assert manifest.documents.keys() == {d.value for d in Document}
        assert parameter.inputs["name"] == "/cordon/manifest"
        assert parameter.inputs["type"] == "String"


def test_without_forensics_the_manifest_says_so() -> None:
    program = prepare({"responderCidrs": ["198.51.100.0/24"]})
    text = program.named("manifest-eu-west-1-parameter").inputs["insecureValue"]
    manifest = Manifest.from_json(text)
    assert (manifest.forensic_vpc, manifest.subnets, manifest.workstation_profile) == ("", {}, "")
    assert manifest.responder_cidrs == ("198.51.100.0/24",)
    assert manifest.forensic_account == ACCOUNT
    assert "forensicVpcs" not in program.exports


def test_the_forensics_stack_alone_prepares_no_groups_and_no_responder() -> None:
    program = prepare({"stacks": ["forensics"]})
    assert "groups" not in program.exports
    names = {r.inputs["name"] for r in program.of_type("aws:iam/role:Role")}
    assert names == {"cordon-analyst", "cordon-workstation", "cordon-flow-logs"}
    assert program.exports["forensicVpcs"].keys() == {"eu-west-1", "us-east-1"}
    assert program.exports["manifests"].keys() == {"eu-west-1", "us-east-1"}


def test_adding_the_forensics_stack_moves_nothing_that_was_there() -> None:
    before = {r.urn for r in prepare().registrations}
    after = {r.urn for r in prepare({"stacks": ["forensics", "account"]}).registrations}
    assert before < after


def test_a_region_taken_off_the_list_takes_only_its_own_resources_away() -> None:
    both = {r.urn: r for r in prepare({"stacks": ["account", "forensics"]}).registrations}
    config = {"stacks": ["account", "forensics"], "exclude": ["eu-west-1"]}
    left = {r.urn for r in prepare(config).registrations}
    gone = [r for urn, r in both.items() if urn not in left]
    assert left < both.keys()
    assert gone
    assert all("eu-west-1" in r.name for r in gone)
    # A protected resource would make this `pulumi up` fail; a key must stay for its evidence.
    assert not any(r.protect for r in gone)
    [key] = [r for r in gone if r.type == "aws:kms/key:Key"]
    assert key.retain_on_delete


def test_tags_are_on_everything_that_takes_them_and_the_kit_s_own_win() -> None:
    program = prepare(
        {**ALL, "tags": {"Owner": "security"}}, mocks=PlainMocks(regions=["eu-west-1"])
    )
    purposes = set()
    for resource in (r for r in program.registrations if "tags" in r.inputs):
        assert resource.inputs["tags"]["Owner"] == "security", resource.name
        assert resource.inputs["tags"]["cordon:kit"], resource.name
        purposes.add(resource.inputs["tags"]["cordon:purpose"])
    assert purposes >= {p.value for p in Purpose} - {"guardrail"}
    untagged = {r.type for r in program.registrations if r.custom and "tags" not in r.inputs}
    assert untagged == {
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:ebs/defaultKmsKey:DefaultKmsKey",
        "aws:ebs/encryptionByDefault:EncryptionByDefault",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:kms/alias:Alias",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketLogging:BucketLogging",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
    }


def test_the_external_id_is_a_secret_wherever_it_goes() -> None:
    config = {
        "responders": [user("alice"), user("dora", OTHER)],
        "externalId": EXTERNAL_ID,
    }
    program = prepare(config)
    holders = [r for r in program.registrations if EXTERNAL_ID in json.dumps(dict(r.inputs))]
    assert {r.name for r in holders} == {"responder-role", "analyst-role"}
    assert all(r.secret_inputs == {"assumeRolePolicy"} for r in holders)
    assert EXTERNAL_ID not in json.dumps(dict(program.exports), default=str)


def test_the_cost_is_exported_and_said_at_preview(caplog: pytest.LogCaptureFixture) -> None:
    config = {"stacks": ["account", "forensics"], "tiers": {"us-east-1": "hot"}}
    with caplog.at_level(logging.INFO):
        program = prepare(config, preview=True)
    assert program.exports["cost"] == {
        "monthlyUsd": 38.5,
        "regions": {
            "eu-west-1": {"tier": "cold", "monthlyUsd": 1.0},
            "us-east-1": {"tier": "hot", "monthlyUsd": 37.5},
        },
    }
    assert "cordon: idle, about $38.50 a month" in caplog.text
    assert "cold, $1.00 each: eu-west-1" in caplog.text
    assert "hot, $37.50 each: us-east-1" in caplog.text


def test_names_are_promises() -> None:
    """A changed name or type replaces what stands in accounts: a key, a vault, a group in use."""
    config = {**ALL, "watch": "queue", "watchEmails": [], "tier": "warm"}
    mocks = PlainMocks(regions=["eu-west-1"], vpcs={"eu-west-1": ["vpc-0a"]})
    made = sorted(
        r.urn.partition("::cordon::")[2] for r in prepare(config, mocks=mocks).registrations
    )
    kept = (Path(__file__).parent / "names.txt").read_text().splitlines()
    promised = [name for name in kept if not name.startswith("#")]
    assert [name for name in promised if name not in made] == []
    # How many policies the responder has depends on what the actions declare.
    numbered = re.compile(r"::responder-(policy|attachment)-[a-z]+-\d+$")
    new = [name for name in made if name not in promised and not numbered.search(name)]
    assert new == [], "write new names into names.txt: from then on they are promised"
