"""One stack prepares an account; a second one is refused before it registers anything."""

from __future__ import annotations

import pytest

from lab.plain import PlainMocks
from stacks.reading import BadConfig
from tests.preparation import Counting, many, prepare

OWNED = {"cordon-analyst": {}, "cordon-responder": {"cordon:stack": "security/prod"}}
"""Tags of an account's roles, as another stack left them."""


@pytest.mark.parametrize("stacks", [["account"], ["forensics"], ["account", "forensics"]])
def test_a_second_stack_is_refused_and_told_which_is_the_first(stacks: list[str]) -> None:
    mocks = Counting(role_tags=OWNED)
    with pytest.raises(BadConfig, match="account is prepared by stack security/prod"):
        prepare({"stacks": stacks}, mocks=mocks)
    assert mocks.created == []


def test_a_renamed_stack_goes_on_and_takes_the_tags_over() -> None:
    program = prepare({"formerStack": "security/prod"}, mocks=PlainMocks(role_tags=OWNED))
    assert program.named("responder-role").inputs["tags"]["cordon:stack"] == "cordon/dev"


@pytest.mark.parametrize(
    "role_tags",
    [{}, {"cordon-responder": {}}, {"cordon-responder": {"cordon:stack": "cordon/dev"}}],
)
def test_a_new_account_an_untagged_one_and_its_own_are_prepared(
    role_tags: dict[str, dict[str, str]],
) -> None:
    """Everything that takes tags is tagged, so that any of it says whose it is."""
    config = {"stacks": ["account", "forensics"], "watch": "queue"}
    program = prepare(config, mocks=PlainMocks(regions=["us-east-1"], role_tags=role_tags))
    tagged = [r for r in program.registrations if "tags" in r.inputs]
    assert len(tagged) > 20
    assert {r.inputs["tags"].get("cordon:stack") for r in tagged} == {"cordon/dev"}


@pytest.mark.parametrize("count", [1, 34])
def test_the_regions_are_written_onto_a_role_in_tags_that_iam_takes(count: int) -> None:
    """A value takes 256 characters, so many regions need several tags."""
    mocks = many(count)
    role = prepare(mocks=mocks).named("responder-role")
    values = [v for k, v in role.inputs["tags"].items() if k.startswith("cordon:regions-")]
    assert sorted(" ".join(values).split()) == sorted(mocks.regions)
    assert all(len(value) <= 256 for value in values)
    assert (len(values) > 1) == (count > 20)


def test_the_organization_may_be_another_stack_of_the_same_account() -> None:
    prepare({"stacks": ["organization"]}, mocks=PlainMocks(role_tags=OWNED))
