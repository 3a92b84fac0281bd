"""The policy pack, through the protocol by which Pulumi asks it (`pulumi.proto`, Analyzer)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as messages
from pulumi.runtime.proto import analyzer_pb2_grpc as services

from contract import VERSION
from lab import record
from policies.bridge.program import UNKNOWN, Resource
from policies.gate.__main__ import POLICIES, ROOT
from policies.pack.judging import rules
from policies.pack.levels import REMEDIES
from tests.policies.catalogue import ALL, NAMES, Example
from tests.policies.samples import made, policy, vault

LEVEL = {0: "advisory", 1: "mandatory", 2: "disabled", 3: "remediate"}


class Pack:
    """The pack as Pulumi sees it."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub
        self.info = stub.GetAnalyzerInfo(empty_pb2.Empty())

    def one(self, resource: Resource) -> list[tuple[str, str, str]]:
        """Policy, level and message of each violation of one resource."""
        request = messages.AnalyzeRequest(
            type=resource.type,
            properties=struct(resource.inputs),
            urn=resource.urn,
            name=resource.name,
        )
        return said(self.stub.Analyze(request).diagnostics)

    def all(self, resources: Iterable[Resource]) -> list[tuple[str, str, str]]:
        """The same of a stack, each resource asked alone and then all together."""
        resources = list(resources)
        alone = [one for resource in resources for one in self.one(resource)]
        request = messages.AnalyzeStackRequest(resources=[declared(one) for one in resources])
        return alone + said(self.stub.AnalyzeStack(request).diagnostics)

    def remedied(self, resource: Resource) -> dict[str, dict[str, Any]]:
        """The properties that each policy would set instead."""
        request = messages.AnalyzeRequest(
            type=resource.type,
            properties=struct(resource.inputs),
            urn=resource.urn,
            name=resource.name,
        )
        answer = self.stub.Remediate(request)
        return {one.policyName: dict(one.properties) for one in answer.remediations}


def struct(values: Any) -> struct_pb2.Struct:
    made_ = struct_pb2.Struct()
    made_.update(values)
    return made_


def declared(resource: Resource) -> messages.AnalyzerResource:
    message = messages.AnalyzerResource(
        type=resource.type,
        properties=struct(resource.inputs),
        urn=resource.urn,
        name=resource.name,
    )
    for key, urns in resource.property_dependencies.items():
        message.propertyDependencies[key].urns.extend(urns)
    return message


def said(diagnostics: Iterable[Any]) -> list[tuple[str, str, str]]:
    return [(one.policyName, LEVEL[one.enforcementLevel], one.message) for one in diagnostics]


def named(name: str) -> str:
    return f"cordon-{name.replace('_', '-')}"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """The pack, started as Pulumi starts it: from its own folder, asked over the loopback."""
    folder = ROOT / "policies" / "pack"
    process = subprocess.Popen(
        [sys.executable, str(folder / "__main__.py")], stdout=subprocess.PIPE, cwd=folder, text=True
    )
    try:
        assert process.stdout is not None
        channel = grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}")
        yield Pack(services.AnalyzerStub(channel))
        channel.close()
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_the_pack_has_every_rule(pack: Pack) -> None:
    assert pack.info.name == "cordon"
    assert sorted(one.name for one in pack.info.policies) == sorted(map(named, NAMES))
    described = {one.name: one.description for one in pack.info.policies}
    assert described == {named(name): rule.text for name, rule in rules().items()}
    assert {f"{name}.py" for name in rules()} == {f.name for f in POLICIES.glob("[!_]*.py")}


@pytest.mark.parametrize("example", ALL, ids=lambda e: e.stack)
def test_the_pack_judges_the_examples_as_checkov_does(pack: Pack, example: Example) -> None:
    found = [one for one in pack.all(example.resources) if one[0] == named(example.policy)]
    if example.kind != "bad":
        assert found == []
        return
    assert example.said in "; ".join(message for _, _, message in found)
    level = "advisory" if example.policy == "tag_rules" else "mandatory"
    assert {one for _, one, _ in found} == {level}


# --- the real program -----------------------------------------------------------------------------


@cache
def program(name: str) -> list[Resource]:
    """The real registrations of one deployment, as Pulumi would hand them to the pack."""
    return [
        Resource(
            urn=one.urn,
            type=one.type,
            name=one.name,
            custom=one.custom,
            parent=one.parent,
            inputs=record.plain(one.inputs),
            property_dependencies=one.property_dependencies,
            protect=one.protect,
            source=None,
        )
        for one in record.run(name).registrations
    ]


@pytest.mark.parametrize("name", record.DEPLOYMENTS)
def test_the_real_program_is_good(pack: Pack, name: str) -> None:
    assert pack.all(program(name)) == []


def changed(resources: list[Resource], kind: str, **inputs: Any) -> list[Resource]:
    """The program with some inputs of every resource of a type changed; None takes one away."""
    return [
        replace(one, inputs={k: v for k, v in {**one.inputs, **inputs}.items() if v is not None})
        if one.type == kind
        else one
        for one in resources
    ]


@pytest.mark.parametrize(
    ("kind", "inputs", "policies"),
    [
        ("aws:ec2/securityGroup:SecurityGroup", {"egress": None}, {"isolation_rules"}),
        ("aws:kms/key:Key", {"deletionWindowInDays": 7}, {"keys_not_deleted_quickly"}),
        ("aws:kms/key:Key", {"tags": None}, {"kit_tags", "tag_rules", "vault_encrypted"}),
        ("aws:s3/bucketPolicy:BucketPolicy", {"policy": policy()}, {"vault_tls_only"}),
        ("aws:ssm/document:Document", {"content": "{}"}, {"documents_pinned"}),
        ("aws:ssm/parameter:Parameter", {"name": "x"}, {"isolation_rules", "documents_pinned"}),
    ],
)
def test_the_real_program_spoiled_is_not(
    pack: Pack, kind: str, inputs: dict[str, Any], policies: set[str]
) -> None:
    found = {one[0] for one in pack.all(changed(program("account"), kind, **inputs))}
    assert found == {named(name) for name in policies}


def test_a_vpc_without_its_pair_is_seen_among_the_real_ones(pack: Pack) -> None:
    groups = "aws:ec2/securityGroup:SecurityGroup"
    resources = program("account")
    [first, *_] = [one for one in resources if one.type == groups and "untrack" in one.name]
    left = [one for one in resources if one is not first]
    [(name, level, message)] = pack.all(left)
    assert (name, level) == ("cordon-isolation-pairs", "mandatory")
    assert message.endswith("the VPC has no group 'untrack'")


# --- remedies and unknowns ------------------------------------------------------------------------


@pytest.mark.parametrize("name", REMEDIES)
def test_a_remedy_mends_what_is_broken_and_leaves_the_rest(pack: Pack, name: str) -> None:
    for example in (e for e in ALL if e.policy == name):
        for one in example.resources:
            remedied = pack.remedied(one)
            if example.kind != "bad":
                assert named(name) not in remedied
            elif named(name) in remedied:
                assert remedied[named(name)] == {**one.inputs, **REMEDIES[name]}
                better = replace(one, inputs=remedied[named(name)])
                assert named(name) not in {said_[0] for said_ in pack.one(better)}
    mended = [e for e in ALL if e.policy == name and e.kind == "bad"]
    assert all(any(named(name) in pack.remedied(r) for r in e.resources) for e in mended)


def test_what_a_preview_does_not_know_yet_is_no_violation(pack: Pack) -> None:
    """A policy that names a key still to be made can't be read before the key exists."""
    tags = {"Owner": "alice", "cordon:kit": "0.1.0", "cordon:purpose": "role"}
    role = made("aws:iam/policy:Policy", "held", policy=UNKNOWN, tags=tags)
    assert "cordon-role-permissions" not in {one[0] for one in pack.one(role)}
    unknown = vault().but("policy", policy=UNKNOWN)
    assert "cordon-vault-tls-only" not in {one[0] for one in pack.all(unknown)}


def test_a_remedy_keeps_what_is_not_known(pack: Pack) -> None:
    [still] = [e.resources[0] for e in ALL if e.stack == "keys_rotate-bad-0"]
    unknown = replace(still, inputs={**still.inputs, "policy": UNKNOWN})
    assert pack.remedied(unknown)["cordon-keys-rotate"]["policy"] == UNKNOWN
    assert pack.remedied(unknown)["cordon-keys-rotate"]["enableKeyRotation"] is True


def test_resources_of_other_providers_and_unmapped_types_are_left_alone(pack: Pack) -> None:
    others = [
        made("random:index/randomId:RandomId", "id", byteLength=4),
        made("aws:xray/group:Group", "group", groupName="x"),
        made("pulumi:providers:aws", "default", region="eu-west-1"),
        replace(made("cordon:components:Manifest", "component"), custom=False),
    ]
    assert pack.all(others) == []


def test_the_pack_is_described_for_pulumi() -> None:
    folder = ROOT / "policies" / "pack"
    described = yaml.safe_load((folder / "PulumiPolicy.yaml").read_text())
    assert described["runtime"]["name"] == "python"
    assert described["version"] == VERSION
    virtualenv = described["runtime"]["options"]["virtualenv"]
    assert (folder / virtualenv).resolve() == ROOT / ".venv"
