"""The tag policy: Organizations' syntax, its size, and where it is attached."""

from __future__ import annotations

import json

import pytest

from components.tag_policies import content
from contract import TAG_POLICY_LIMIT, TAG_RULES, Purpose, TagRule, kit_tags
from lab.program import Program
from tests.preparation import declare

PROGRAM = """
from components.tag_policies import TagPolicies, TagPoliciesArgs
TagPolicies("tags", TagPoliciesArgs(["ou-exam-11111111", "111122223333"], tags={"Team": "x"}))
"""
POLICY = "aws:organizations/policy:Policy"
ATTACHMENT = "aws:organizations/policyAttachment:PolicyAttachment"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return declare(tmp_path_factory.mktemp("program"), PROGRAM)


def test_one_policy_of_the_right_type_holds_every_rule(program: Program) -> None:
    [policy] = program.of_type(POLICY)
    assert policy.inputs["type"] == "TAG_POLICY"
    assert policy.inputs["name"] == "cordon-tags"
    assert policy.inputs["tags"] == kit_tags(Purpose.GUARDRAIL, {"Team": "x"})
    assert set(json.loads(policy.inputs["content"])["tags"]) == {r.key for r in TAG_RULES}


def test_it_is_attached_to_each_target_and_to_nothing_else(program: Program) -> None:
    [policy] = program.of_type(POLICY)
    attached = {r.inputs["targetId"]: r.inputs["policyId"] for r in program.of_type(ATTACHMENT)}
    assert attached == {"ou-exam-11111111": policy.id, "111122223333": policy.id}


def test_syntax_is_what_organizations_reads() -> None:
    rule = TagRule("Environment", ("Production", "Quarantine:*"), ("ec2:instance",))
    assert json.loads(content([rule])) == {
        "tags": {
            "Environment": {
                "tag_key": {"@@assign": "Environment"},
                "tag_value": {"@@assign": ["Production", "Quarantine:*"]},
                "enforced_for": {"@@assign": ["ec2:instance"]},
            }
        }
    }


def test_any_value_and_nothing_enforced_are_left_out() -> None:
    assert json.loads(content([TagRule("Owner")])) == {
        "tags": {"Owner": {"tag_key": {"@@assign": "Owner"}}}
    }


def test_the_default_rules_let_a_quarantine_be_marked() -> None:
    [environment] = [r for r in TAG_RULES if r.key == "Environment"]
    stated = json.loads(content(TAG_RULES))["tags"]["Environment"]["tag_value"]["@@assign"]
    assert "Quarantine:*" in stated
    assert environment.allows("Quarantine:IR-7")
    assert all(value.count("*") <= 1 for rule in TAG_RULES for value in rule.values)


def test_no_white_space_is_spent() -> None:
    text = content(TAG_RULES)
    assert json.dumps(json.loads(text), separators=(",", ":")) == text


def test_a_policy_over_the_limit_is_an_error_that_says_how_far() -> None:
    rules = [TagRule("Owner", tuple(f"{n:0100d}" for n in range(100)))]
    with pytest.raises(ValueError, match=rf"has 10\d\d\d characters, over {TAG_POLICY_LIMIT}"):
        content(rules)
