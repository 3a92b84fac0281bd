"""The organization stack: what it declares, and what it refuses before declaring anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from contract import TAG_RULES
from lab.program import Program
from stacks.reading import BadConfig
from tests.preparation import PARTITIONS, Counting, imagined, prepare

POLICY = "aws:organizations/policy:Policy"
ATTACHMENT = "aws:organizations/policyAttachment:PolicyAttachment"
ORGANIZATION = "aws:organizations/organization:Organization"
LOOKUP = "aws:organizations/getOrganization:getOrganization"
PROVISIONER = "arn:aws:iam::*:role/deploy/pulumi"
TARGETED = {"tagPolicyTargets": ["r-exam"], "guardrailTargets": ["ou-exam-11111111"]}


def known(**changes: Any) -> dict[str, Any]:
    """The organization as AWS describes it."""
    return {
        "id": "o-exampleorg",
        "roots": [{"id": "r-exam", "name": "Root", "arn": "arn:aws:organizations:::root/r-exam"}],
        "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY", "TAG_POLICY"],
        "awsServiceAccessPrincipals": ["sso.amazonaws.com", "cloudtrail.amazonaws.com"],
        **changes,
    }


def declare(config: Mapping[str, Any], **changes: Any) -> Program:
    mocks = Counting(answers={LOOKUP: known(**changes)})
    return prepare({"stacks": ["organization"], "responders": [], **config}, mocks=mocks)


def test_policies_are_declared_and_attached_where_the_settings_say() -> None:
    program = declare(TARGETED)
    names = {r.id: r.inputs["name"] for r in program.of_type(POLICY)}
    attached = {
        (names[r.inputs["policyId"]], r.inputs["targetId"]) for r in program.of_type(ATTACHMENT)
    }
    assert attached == {
        ("cordon-tags", "r-exam"),
        ("cordon-prepared", "ou-exam-11111111"),
        ("cordon-quarantine", "ou-exam-11111111"),
    }
    assert set(names.values()) == {name for name, _ in attached} | {"cordon-emergency"}
    assert names[program.exports["tagPolicy"]] == "cordon-tags"
    assert names[program.exports["guardrails"]["emergency"]] == "cordon-emergency"


def test_without_targets_nothing_is_attached() -> None:
    program = declare({})
    assert len(program.of_type(POLICY)) == 4
    assert program.of_type(ATTACHMENT) == ()


def test_nothing_regional_is_made_in_the_management_account() -> None:
    program = declare(TARGETED)
    assert {r.type.split("/")[0] for r in program.registrations if r.custom} == {
        "aws:organizations"
    }


def test_beside_the_account_stack_both_are_declared() -> None:
    config = {**TARGETED, "stacks": ["account", "organization"]}
    program = prepare(config, mocks=Counting(answers={LOOKUP: known()}))
    assert program.of_type(POLICY)
    assert program.exports["guardrails"]["prepared"]
    assert program.exports["groups"]


@pytest.mark.parametrize("partition", PARTITIONS)
def test_policies_speak_of_their_own_partition(partition: str) -> None:
    pattern = PROVISIONER.replace("aws", partition, 1)
    config = {"aws:region": PARTITIONS[partition][0], "provisioners": [pattern]}
    config |= {"stacks": ["organization"], "responders": []}
    program = prepare(config, mocks=imagined(partition))
    for policy in program.of_type(POLICY):
        arns = [t for t in policy.inputs["content"].split('"') if t.startswith("arn:")]
        assert {arn.split(":")[1] for arn in arns} <= {partition}
    prepared = program.named("guardrails-prepared").inputs["content"]
    assert pattern in prepared


def test_the_organization_is_declared_only_where_it_is_managed() -> None:
    assert declare(TARGETED).of_type(ORGANIZATION) == ()


def test_a_managed_organization_keeps_what_it_has_and_gains_the_policy_types() -> None:
    program = declare(
        {**TARGETED, "manageOrganization": True},
        enabledPolicyTypes=["SERVICE_CONTROL_POLICY", "BACKUP_POLICY"],
    )
    [made] = program.of_type(ORGANIZATION)
    assert made.inputs["enabledPolicyTypes"] == [
        "BACKUP_POLICY",
        "SERVICE_CONTROL_POLICY",
        "TAG_POLICY",
    ]
    assert made.inputs["awsServiceAccessPrincipals"] == [
        "cloudtrail.amazonaws.com",
        "sso.amazonaws.com",
    ]
    assert made.protect
    assert made.retain_on_delete
    assert all(made.urn in policy.dependencies for policy in program.of_type(POLICY))


def test_configured_rules_take_the_place_of_the_default_ones() -> None:
    rules = [
        {"key": "Team", "values": ["red", "q-*"], "enforcedFor": ["ec2:*"]},
        {"key": "Cost Center", "required": False},
    ]
    program = declare({"tagRules": rules})
    stated = json.loads(program.named("tags-policy").inputs["content"])["tags"]
    assert stated == {
        "Team": {
            "tag_key": {"@@assign": "Team"},
            "tag_value": {"@@assign": ["red", "q-*"]},
            "enforced_for": {"@@assign": ["ec2:*"]},
        },
        "Cost Center": {"tag_key": {"@@assign": "Cost Center"}},
    }


def test_the_default_rules_are_the_contracts() -> None:
    stated = json.loads(declare({}).named("tags-policy").inputs["content"])["tags"]
    assert set(stated) == {rule.key for rule in TAG_RULES}


LONG = [{"key": "Owner", "values": [f"{n:0100d}" for n in range(100)]}]
BAD: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"tagPolicyTargets": ["ou-1"]}, {}, "tagPolicyTargets", "'ou-1' is not the id of a root"),
    ({"guardrailTargets": ["1234"]}, {}, "guardrailTargets", "is not the id of a root"),
    ({"guardrailTargets": ["r-exam", "r-exam"]}, {}, "guardrailTargets", "twice"),
    ({"provisioners": ["*"]}, {}, "provisioners", "'*' is not the ARN of a role"),
    ({"provisioners": ["arn:aws:iam::*:role/*"]}, {}, "provisioners", "at least three letters"),
    ({"provisioners": ["arn:aws:iam::*:role/ab*"]}, {}, "provisioners", "at least three"),
    ({"provisioners": ["arn:aws:iam::*:user/alice"]}, {}, "provisioners", "ARN of a role"),
    (
        {"provisioners": ["arn:aws-cn:iam::*:role/deploy"]},
        {},
        "provisioners",
        "not of the partition aws",
    ),
    (
        {"provisioners": [f"arn:aws:iam::{n:012d}:role/deploy" for n in range(60)]},
        {},
        "provisioners",
        "over 5120",
    ),
    ({"tagRules": [{"values": ["x"]}]}, {}, "tagRules", "None is not a tag's key"),
    ({"tagRules": [{"key": "A", "value": "x"}]}, {}, "tagRules", "has no 'value'"),
    ({"tagRules": [{"key": "A", "values": "x"}]}, {}, "tagRules", "values must be a list"),
    ({"tagRules": [{"key": "A", "values": ["a*b*"]}]}, {}, "tagRules", "more than one *"),
    ({"tagRules": [{"key": "A", "enforcedFor": ["ec2"]}]}, {}, "tagRules", "can't stand under"),
    ({"tagRules": [{"key": "A", "required": "no"}]}, {}, "tagRules", "true or false"),
    ({"tagRules": [{"key": "Owner"}, {"key": "owner"}]}, {}, "tagRules", "stands there twice"),
    ({"tagRules": LONG}, {}, "tagRules", "over 10000"),
    ({"organizationId": "o-strangers1"}, {}, "organizationId", "belongs to o-exampleorg"),
    ({}, {"roots": []}, "stacks", "delegated administrator"),
    (
        {},
        {"enabledPolicyTypes": ["SERVICE_CONTROL_POLICY"]},
        "manageOrganization",
        "--policy-type TAG_POLICY",
    ),
]


@pytest.mark.parametrize(("config", "changes", "setting", "problem"), BAD)
def test_what_does_not_fit_is_refused_before_anything_is_registered(
    config: dict[str, Any], changes: dict[str, Any], setting: str, problem: str
) -> None:
    mocks = Counting(answers={LOOKUP: known(**changes)})
    with pytest.raises(BadConfig) as caught:
        prepare({"stacks": ["organization"], "responders": [], **config}, mocks=mocks)
    assert str(caught.value).startswith(f"cordon:{setting}: ")
    assert problem in str(caught.value)
    assert mocks.created == []
