"""What the bridge makes of a program: Terraform's words, blocks, references, no secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policies.bridge.errors import BridgeError
from policies.bridge.plan import plan
from policies.bridge.program import (
    BLIND,
    SECRET,
    SPECIAL,
    UNKNOWN,
    Resource,
    Source,
    Stack,
    read_preview,
    read_recording,
)
from tests.policies.samples import made


def document(*resources: Resource) -> dict[str, Any]:
    """The plan of some resources, as Checkov reads it."""
    parsed = json.loads(plan(Stack("account", resources)).to_json())
    assert isinstance(parsed, dict)
    return parsed


def values(*resources: Resource) -> dict[str, Any]:
    """The values of the first resource."""
    found = document(*resources)["planned_values"]["root_module"]["resources"][0]["values"]
    return {key: value for key, value in found.items() if not (key == "tags" and value is None)}


def test_a_resource_is_planned_under_its_terraform_address() -> None:
    key = made("aws:kms/key:Key", "evidence key/1", enableKeyRotation=True)
    [one] = document(key)["planned_values"]["root_module"]["resources"]
    assert one == {
        "address": "aws_kms_key.evidence_key_1",
        "mode": "managed",
        "type": "aws_kms_key",
        "name": "evidence_key_1",
        "values": {"enable_key_rotation": True, "tags": None},
    }
    assert document(key)["terraform_version"]


def test_single_blocks_are_wrapped_and_plurals_renamed() -> None:
    rule = {"defaultRetention": {"mode": "GOVERNANCE", "days": 1}}
    lock = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    assert values(made(lock, "lock", rule=rule)) == {
        "rule": [{"default_retention": [{"mode": "GOVERNANCE", "days": 1}]}]
    }
    lifecycle = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    rules = [{"id": "a", "status": "Enabled", "transitions": [{"days": 1, "storageClass": "X"}]}]
    assert values(made(lifecycle, "lifecycle", rules=rules)) == {
        "rule": [
            {"id": "a", "status": "Enabled", "transition": [{"days": 1, "storage_class": "X"}]}
        ]
    }


def test_a_list_of_one_that_pulumi_gives_alone_is_a_list_again() -> None:
    api = made("aws:apigateway/restApi:RestApi", "api", endpointConfiguration={"types": "PRIVATE"})
    assert values(api) == {"endpoint_configuration": [{"types": ["PRIVATE"]}]}


def test_the_keys_of_maps_are_data() -> None:
    tags = {"cordon:kit": "0.1.0", "CostCenter": "x", "camelCase": "y"}
    assert values(made("aws:kms/key:Key", "key", tags=tags)) == {"tags": tags}
    function = made(
        "aws:lambda/function:Function", "f", environment={"variables": {"logLevel": "INFO"}}
    )
    assert values(function) == {"environment": [{"variables": {"logLevel": "INFO"}}]}


def test_a_json_document_is_text_however_it_was_given() -> None:
    given = {"Version": "2012-10-17", "Statement": []}
    for policy in (given, json.dumps(given)):
        [role] = document(made("aws:iam/role:Role", "r", assumeRolePolicy=policy))[
            "planned_values"
        ]["root_module"]["resources"]
        assert json.loads(role["values"]["assume_role_policy"]) == given
        assert isinstance(role["values"]["assume_role_policy"], str)


def test_pulumis_own_names_are_terraforms() -> None:
    alarm = made("aws:cloudwatch/metricAlarm:MetricAlarm", "a", name="n", comparisonOperator="x")
    assert values(alarm) == {"alarm_name": "n", "comparison_operator": "x"}


def test_nested_statements_repeat_the_statement_around_them() -> None:
    match = {"geoMatchStatement": {"countryCodes": ["XX"]}}
    rule = {"name": "r", "priority": 1, "statement": {"andStatement": {"statements": [match]}}}
    acl = made("aws:wafv2/webAcl:WebAcl", "acl", rules=[rule])
    [found] = values(acl)["rule"]
    inner = {"geo_match_statement": [{"country_codes": ["XX"]}]}
    assert found["statement"] == [{"and_statement": [{"statement": [inner]}]}]


# --- references -----------------------------------------------------------------------------------


def expressions(*resources: Resource) -> dict[str, Any]:
    """The configuration's expressions of the last resource."""
    found = document(*resources)["configuration"]["root_module"]["resources"][-1]["expressions"]
    assert isinstance(found, dict)
    return found


def test_an_id_of_another_resource_becomes_a_reference() -> None:
    vpc = made("aws:ec2/vpc:Vpc", "v", cidrBlock="10.0.0.0/24")
    subnet = made("aws:ec2/subnet:Subnet", "s", {"vpcId": vpc}, cidrBlock="10.0.0.0/28")
    assert expressions(vpc, subnet) == {"vpc_id": {"references": ["aws_vpc.v.id", "aws_vpc.v"]}}
    [_, found] = document(vpc, subnet)["planned_values"]["root_module"]["resources"]
    assert "vpc_id" not in found["values"]
    assert found["values"]["cidr_block"] == "10.0.0.0/28"


def test_an_arn_is_referred_to_as_one() -> None:
    policy = made("aws:iam/policy:Policy", "p", policy="{}")
    held = made("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "a", {"policyArn": policy})
    assert expressions(policy, held)["policy_arn"]["references"][0] == "aws_iam_policy.p.arn"


def test_documents_and_blocks_with_references_keep_what_is_known() -> None:
    bucket = made("aws:s3/bucket:Bucket", "b", bucket="x")
    text = '{"Statement": [{"Resource": "arn:aws:s3:::x/*"}]}'
    policy = made(
        "aws:s3/bucketPolicy:BucketPolicy", "p", {"bucket": bucket, "policy": bucket}, policy=text
    )
    [_, found] = document(bucket, policy)["planned_values"]["root_module"]["resources"]
    assert found["values"] == {"policy": text}
    assert set(expressions(bucket, policy)) == {"bucket", "policy"}


def test_dependencies_on_components_and_on_nothing_planned_are_no_references() -> None:
    component = "urn:pulumi:test::cordon::cordon:components:X::x"
    one = made("aws:kms/alias:Alias", "a", targetKeyId="key-1")
    loose = Resource(**{**vars(one), "property_dependencies": {"targetKeyId": (component,)}})
    assert expressions(loose) == {}
    assert values(loose)["target_key_id"] == "key-1"


# --- refusals -------------------------------------------------------------------------------------


def test_two_resources_of_one_address_are_refused() -> None:
    twins = made("aws:kms/key:Key", "a b"), made("aws:kms/key:Key", "a_b")
    with pytest.raises(BridgeError, match=r"both be aws_kms_key.a_b: name them apart"):
        plan(Stack("account", twins))


def test_an_unknown_property_deep_inside_names_its_table() -> None:
    rule = {"defaultRetention": {"mood": "GOVERNANCE"}}
    lock = made(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "l", rule=rule
    )
    with pytest.raises(BridgeError, match=r"no property 'mood'.*policies/bridge/table/s3.toml"):
        plan(Stack("account", (lock,)))


def test_components_and_providers_are_no_resources_of_a_plan() -> None:
    key = made("aws:kms/key:Key", "key")
    component = Resource(**{**vars(key), "type": "cordon:components:X", "custom": False})
    provider = made("pulumi:providers:aws", "default", region="eu-west-1")
    assert plan(Stack("account", (component, provider, key))).declared == {"aws_kms_key.key": key}


# --- recordings and previews ----------------------------------------------------------------------


def written(tmp_path: Path, content: Any) -> Path:
    file = tmp_path / "input.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


STATE = {
    "urn": "urn:pulumi:prod::cordon::cordon:x:Vault$aws:ssm/parameter:Parameter::token",
    "custom": True,
    "type": "aws:ssm/parameter:Parameter",
    "parent": "urn:pulumi:prod::cordon::cordon:x:Vault::v",
    "inputs": {
        "__defaults": ["name"],
        "name": "token",
        "type": "SecureString",
        "value": {SPECIAL: SECRET, "plaintext": '"hunter2"'},
        "keyId": UNKNOWN,
        "tags": {"__defaults": [], "Owner": "alice"},
    },
    "propertyDependencies": {
        "keyId": ["urn:pulumi:prod::cordon::aws:kms/key:Key::k"],
        "name": None,
    },
    "sourcePosition": "project:///components/vault.py#44,9",
}
STACK_STATE = {
    "type": "pulumi:pulumi:Stack",
    "urn": "urn:pulumi:prod::cordon::x::s",
    "custom": False,
}


def test_a_preview_is_read_without_secrets_and_unknowns(tmp_path: Path) -> None:
    steps = [
        {"op": "same", "newState": STACK_STATE},
        {"op": "create-replacement", "newState": STATE},
        {"op": "replace", "newState": STATE},
        {"op": "delete", "oldState": {**STATE, "urn": "urn:gone"}},
    ]
    [stack] = read_preview(written(tmp_path, {"steps": steps}))
    assert stack.name == "prod"
    [one] = stack.resources
    assert one.name == "token"
    assert one.inputs == {
        "name": "token",
        "type": "SecureString",
        "value": BLIND,
        "tags": {"Owner": "alice"},
    }
    assert one.source == Source("components/vault.py", 44)
    assert "hunter2" not in plan(stack).to_json()


def test_numbers_are_whole_and_assets_are_where_they_come_from(tmp_path: Path) -> None:
    inputs = {
        "timeout": 3.0,
        "code": {SPECIAL: "0def7320c3a5731c473e5ecbe6d01bc7", "path": "build/f.zip"},
    }
    kind = "aws:lambda/function:Function"
    state = {**STATE, "type": kind, "urn": f"urn:pulumi:p::c::{kind}::f", "inputs": inputs}
    [stack] = read_preview(written(tmp_path, {"steps": [{"newState": state}]}))
    assert values(*stack.resources) == {"timeout": 3, "filename": "build/f.zip"}
    assert isinstance(values(*stack.resources)["timeout"], int)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"steps": []}, "declares no resources"),
        ({"steps": [{"newState": STACK_STATE}]}, "declares no resources"),
        ({}, "has no steps"),
        ([], "has no steps"),
        ("{", "is not JSON"),
        (
            {"steps": [], "diagnostics": [{"severity": "error", "message": "no credentials"}]},
            "the preview failed: no credentials",
        ),
    ],
)
def test_a_preview_that_shows_nothing_is_refused(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(BridgeError, match=said):
        read_preview(written(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"schema": 2, "stacks": []}, "not a recording of schema 1"),
        ({"schema": 1, "stacks": []}, "declares no resources"),
        ({"schema": 1, "stacks": [{"stack": "a", "resources": []}]}, "no resources in 'a'"),
        ({"schema": 1, "stacks": [{"stack": "a"}]}, "is not a recording: KeyError"),
        ({"schema": 1}, "is not a recording: KeyError"),
    ],
)
def test_a_recording_that_shows_nothing_is_refused(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(BridgeError, match=said):
        read_recording(written(tmp_path, content))
