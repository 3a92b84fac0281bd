"""`cordon key` from end to end: what IAM says afterwards, and which calls were made."""

from __future__ import annotations

import pytest

from lab.calls import Calls
from tests.conftest import AwsLab
from tests.responders.conftest import Cordon
from tests.responders.people import People, populate

CASE = ("--case", "IR-7", "--no-hunt", "--region", "eu-west-1", "--json")


@pytest.fixture
def people(aws_lab: AwsLab) -> People:
    return populate(aws_lab)


def test_contains_then_finds_it_contained_then_releases(
    people: People, cordon: Cordon, calls: Calls
) -> None:
    before = people.state()
    calls.clear()
    answer = cordon("key", people.key, *CASE)
    assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out + answer.err
    assert people.statuses() == {people.keys[0]: "Inactive", people.keys[1]: "Active"}
    document = people.inline()[f"cordon-deny-IR-7@{people.key}"]
    [statement] = document["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    assert list(statement["Condition"]) == ["DateLessThan"]
    changed = {c.operation for c in calls.mutating if c.service == "iam"}
    assert changed == {"UpdateAccessKey", "PutUserPolicy"}

    calls.clear()
    again = cordon("key", people.key, *CASE)
    assert (again.code, again.document["outcome"]) == (0, "already-contained"), again.out
    assert [c for c in calls.mutating if c.service == "iam"] == []

    assert cordon("case", "verify", "--case", "IR-7", "--region", "eu-west-1").code == 0
    released = cordon("release", people.key, "--case", "IR-7", "--json")
    assert (released.code, released.document["outcome"]) == (0, "released"), released.out
    assert people.state() == before
